"""Records of xrootd in the formats of their producers, broken ones among them, and packets that need a collector."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import orjson

from pipeline.simulator.accesses import Access, Form
from pipeline.simulator.spoiling import BODIES, Fields, Spoils, no_time, shifted, spoiled, too_late, too_old

NEEDS_COLLECTOR = "needs_collector"
SHOVELER_TOPIC = "xrootd.shoveler"
_GLED_TOPICS = {"atlas": "xrdpop.fax_popularity", "cms": "xrdpop.uscms_popularity"}
_TOPICS = {
    Form.CMSSW: "xrootd.cmssw",
    Form.WLCG: "xrd.wlcg_format",
    Form.COLLECTOR: "xrd.detailed",
    Form.CACHE: "xrd.cache.stash",
    Form.TPC: "xrd.tpc",
    Form.EOS: "xrootd.eos",
}
_ROOTS = {"atlas": "/atlas/rucio/mc23", "cms": "/store/mc/Run3Summer23"}


def _spoils(times: tuple[str, str], figure: str) -> Spoils:
    """What can be wrong with a record whose times stand at its top; the second is that of its end."""
    return {
        "no_time": lambda fields, noise: no_time(fields, times[1:], noise),
        "bad_time": lambda fields, noise: fields.update({times[noise % 2]: ("soon", -1, True)[noise % 3]}),
        "bad_bytes": lambda fields, noise: fields.update({figure: ("-1", -7, "many", 0.5)[noise % 4]}),
        "future": lambda fields, noise: shifted(fields, times, _later),
        "too_old": lambda fields, noise: shifted(fields, times, _earlier),
    }


def _later(instant: int) -> int:
    """Days later, of seconds or ms since the epoch."""
    return instant and (too_late(instant) if instant > 10**11 else too_late(instant * 1000) // 1000)


def _earlier(instant: int) -> int:
    """Weeks earlier, of seconds or ms since the epoch."""
    return instant and (too_old(instant) if instant > 10**11 else too_old(instant * 1000) // 1000)


_FILE_CLOSE = _spoils(("start_time", "end_time"), "read_bytes")
SPOILS: dict[Form, Spoils] = {
    Form.GLED: _FILE_CLOSE,
    Form.CMSSW: _FILE_CLOSE,
    Form.WLCG: _FILE_CLOSE,
    Form.COLLECTOR: _spoils(("start_time", "end_time"), "readv"),
    Form.CACHE: _spoils(("attach_t", "detach_t"), "b_todisk"),
    Form.TPC: {
        "no_time": lambda fields, noise: fields.update(Xeq=({}, None, {"End": ""})[noise % 3]),
        "bad_time": lambda fields, noise: fields.update(Xeq={"Beg": "", "End": "soon"}),
        "bad_bytes": lambda fields, noise: fields.update(Size=("-1", -7, 0.5)[noise % 3]),
    },
    Form.EOS: _spoils(("eos.ots", "eos.cts"), "eos.rb"),
}
"""What can be wrong with a record of each form, beside being no JSON at all."""


def access_topic(access: Access, poison: str) -> str:
    """The topic that such a record is published to; a format without a known one goes by the name of its kind."""
    if poison == NEEDS_COLLECTOR:
        return SHOVELER_TOPIC
    return _GLED_TOPICS[access.vo] if access.form is Form.GLED else _TOPICS[access.form]


def access_body(access: Access) -> bytes:
    """The record of an access."""
    if access.form is Form.EOS and access.noise % 3 == 0:
        return _eos_pairs(access)
    return orjson.dumps(_RECORDS[access.form](access))


def spoiled_access(access: Access, reason: str) -> bytes:
    """A record that cannot be used for ``reason``."""
    if reason == NEEDS_COLLECTOR:
        packet = b64encode(access.noise.to_bytes(8, "big") + b"https/unknown").decode()
        return orjson.dumps({"data": packet, "remote": "127.0.0.1:37029", "version": "1.3.2"})
    good = orjson.dumps(_RECORDS[access.form](access))
    return spoiled(good, reason, SPOILS[access.form], access.noise)


def reasons(access: Access) -> tuple[str, ...]:
    """What can be wrong with a record of this access."""
    # A body without a brace in front is for EOS a report of pairs, which may lack anything but is no broken JSON.
    pairs = ("not_json", "not_object") if access.form is Form.EOS else ()
    broken = [reason for reason in BODIES if reason not in pairs]
    return (*broken, *SPOILS[access.form])


def _path(access: Access) -> str:
    noise = access.noise
    # Servers of EOS and of the smaller experiments are known by their own tree.
    own = access.form in (Form.EOS, Form.TPC) or access.vo not in _ROOTS
    root = f"/eos/{access.vo}/data" if own else _ROOTS[access.vo]
    return f"{root}/{noise & 255:02x}/{noise >> 8:014x}.root"


def _host(name: str) -> tuple[str, str]:
    """A short name and the domain behind it."""
    short, _, domain = name.partition(".")
    return short, domain


def _file_close(access: Access) -> Fields:
    server, server_domain = _host(access.server)
    client, client_domain = _host(access.client)
    counted, at_close = _figures(access)
    read, write = ("write", "read") if access.written else ("read", "write")
    begin_ms, end_ms = access.open_ms
    return {
        "unique_id": f"{access.noise:016x}-2e48",
        "file_lfn": _path(access),
        "file_size": access.bytes * 2,
        "start_time": begin_ms // 1000,
        "end_time": end_ms // 1000,
        f"{read}_bytes": counted,
        f"{read}_bytes_at_close": at_close,
        f"{write}_bytes": 0,
        f"{write}_bytes_at_close": 0,
        "user_dn": _user(access),
        "client_host": client,
        "client_domain": client_domain,
        "server_host": server,
        "server_domain": server_domain,
    }


def _gled(access: Access) -> Fields:
    """All text; whose record it is tells, mostly, its topic alone."""
    told = {"user_vo": access.vo if access.noise & 1 else "", "user_role": "", "server_username": ""}
    return {name: str(value) for name, value in (_file_close(access) | told).items()}


def _cmssw(access: Access) -> Fields:
    return _file_close(access) | {"site_name": "T2_XX_Any", "fallback": "-", "app_info": "cmsRun"}


def _wlcg(access: Access) -> Fields:
    return _file_close(access) | {"vo": access.vo, "ipv6": True, "operation": "read", "server_site": "unknown"}


def _collector(access: Access) -> Fields:
    counted, at_close = _figures(access)
    begin_ms, end_ms = access.open_ms
    vectors = counted // 3
    return {
        "start_time": begin_ms,
        "end_time": end_ms,
        "server_hostname": access.server,
        "server_ip": "192.0.2.17",
        "host": access.client,
        "user_dn": _user(access),
        "vo": f"{access.vo} {access.vo}",
        "filename": _path(access),
        "filesize": "-1",
        "protocol": "xroot",
        "ipv6": True,
        "read": 0 if access.written else counted - vectors,
        "readv": 0 if access.written else vectors,
        "write": counted if access.written else 0,
        "read_bytes_at_close": 0 if access.written else at_close,
        "write_bytes_at_close": at_close if access.written else 0,
    }


def _cache(access: Access) -> Fields:
    """What came from the origin: to disk, and past the disk."""
    past = access.bytes // 4
    begin_ms, end_ms = access.open_ms
    known = access.src_host != "unknown"
    return {
        "event": "file_close",
        "lfn": _path(access),
        "size": access.bytes * 3,
        "attach_t": begin_ms // 1000,
        "detach_t": end_ms // 1000,
        "remotes": [f"root://{access.src_host}:1094/"] if known else [],
        "b_hit": access.noise % 1_000_000,
        "b_miss": access.bytes,
        "b_bypass": past,
        "b_todisk": access.bytes - past,
        "server_hostname": access.dst_host,
        "vo": access.vo,
    }


def _tpc(access: Access) -> Fields:
    begin_ms, end_ms = access.open_ms
    path = _path(access)
    return {
        "TPC": ("xroot", "http")[access.noise & 1],
        "Client": f"prod.{access.noise % 10_000}:24@fts.example.org",
        "Xeq": {
            "Beg": _printed(begin_ms) if begin_ms else "",
            "End": _printed(end_ms),
            "RC": 0,
            "Strm": 1,
            "Type": "push" if access.written else "pull",
            "IPv": 6,
        },
        "Src": f"xroot://{access.src_host}:1094/{path}",
        "Dst": f"xroot://{access.dst_host}:1094/{path}",
        "Size": access.bytes,
    }


def _eos(access: Access) -> Fields:
    begin_ms, end_ms = access.open_ms
    client = "" if access.client == "unknown" else access.client
    return {
        "eos.path": _path(access),
        "eos.host": access.server,
        "eos.td": f"prod.{access.noise % 10_000}:24@{client}",
        "eos.ots": str(begin_ms // 1000),
        "eos.otms": str(begin_ms % 1000),
        "eos.cts": str(end_ms // 1000),
        "eos.ctms": str(end_ms % 1000),
        "eos.rb": "0" if access.written else str(access.bytes),
        "eos.wb": str(access.bytes) if access.written else "0",
        "eos.csize": str(access.bytes * 2),
        "eos.sec.host": client,
        "eos.sec.info": _user(access),
        "eos.sec.vorg": "",
    }


def _eos_pairs(access: Access) -> bytes:
    """The report as pairs, alone or as text inside of MONIT's envelope."""
    pairs = (f"{name.removeprefix('eos.')}={value}" for name, value in _eos(access).items())
    report = "log=9e7436fe-1d8e-11e7&" + "&".join(pairs) + "&sec.app="
    if access.noise & 8:
        return orjson.dumps({"data": f'"{report}"', "metadata": {"type": "reports"}})
    return report.encode()


_RECORDS = {
    Form.GLED: _gled,
    Form.CMSSW: _cmssw,
    Form.WLCG: _wlcg,
    Form.COLLECTOR: _collector,
    Form.CACHE: _cache,
    Form.TPC: _tpc,
    Form.EOS: _eos,
}


def _figures(access: Access) -> tuple[int, int]:
    """Counted and told at close: the larger one is right, either may be."""
    less = access.bytes * (access.noise % 100) // 100
    return (access.bytes, less) if access.noise & 1 else (less, access.bytes)


def _user(access: Access) -> str:
    return f"/DC=ch/DC=example/CN=user{access.noise % 500}" if access.noise % 5 else ""


def _printed(instant_ms: int) -> str:
    """The server prints the fraction as a plain count of microseconds, of at least three digits."""
    whole = datetime.fromtimestamp(instant_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{instant_ms % 1000 * 1000:03d}Z"
