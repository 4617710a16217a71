"""The oracle's reading of xrootd records: standard library only, and no line shared with the product.

It reads the shapes that producers send. What GLED of 2012 and the unescaped third-party copies broke is not read here.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from tests.support.oracle_messages import (
    Complete,
    Unusable,
    body_fields,
    host_of_url,
    read_bytes,
    read_instant,
    receipt_time,
)

FORMATS = {
    "xrdpop.fax_popularity": "file-close",
    "xrdpop.uscms_popularity": "file-close",
    "xrd.wlcg_format": "file-close",
    "xrd.detailed": "collector",
    "xrd.cache.stash": "cache",
    "xrd.tpc": "tpc",
    "test.cmssw": "cmssw",
    "test.eos": "eos",
    "xrootd.cmssw": "cmssw",
    "xrootd.eos": "eos",
    "xrootd.shoveler": "packet",
}
"""The formats by topic; the last ones are published nowhere under a known name."""

NOTHING = {"", "unknown", "null", "none", "novo", "-"}


def read_records(topic: str, body: bytes, received_ms: int | None, ref: str) -> list[Complete]:
    """The file accesses that a body tells of; raises Unusable."""
    form = FORMATS[topic]
    if form == "packet":
        raise Unusable("needs_collector")
    if form == "cmssw":
        return [_file_close(fields, topic, received_ms, ref) for fields in _packet(body)]
    read = {"file-close": _file_close, "collector": _collector, "cache": _cache, "tpc": _tpc, "eos": _eos}[form]
    return [read(_report(body) if form == "eos" else body_fields(body), topic, received_ms, ref)]


def _packet(body: bytes) -> list[dict[str, Any]]:
    """One object, or several one after the other, parted by counting braces: the tests' values hold none."""
    try:
        return [body_fields(body)]
    except Unusable as trouble:
        if trouble.args[0] != "not_json":
            raise
    *parts, rest = body.decode("utf-8", "replace").split("}")
    if rest.strip(" \t\r\n\0\x04"):
        raise Unusable("not_json")  # it was cut off
    try:
        return [json.loads(part + "}", parse_float=Decimal) for part in parts]
    except ValueError:
        raise Unusable("not_json") from None


def _report(body: bytes) -> dict[str, Any]:
    if body.lstrip()[:1] != b"{" and b"=" in body:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    fields = body_fields(body)
    if isinstance(fields.get("data"), str):
        return dict(pair.split("=", 1) for pair in fields["data"].strip('" ').split("&") if "=" in pair)
    plain = {name.removeprefix("eos."): value for name, value in fields.items()}
    spelled = {"eos_host": "host", "eos_path": "path"}
    return {spelled.get(name, re.sub("^sec_", "sec.", name)): value for name, value in plain.items()}


def _file_close(f: dict[str, Any], topic: str, received_ms: int | None, ref: str) -> Complete:
    return _access(
        server=_host(_said(f.get("server_host")) or _said(f.get("server_ip")), f.get("server_domain")),
        client=_host(f.get("client_host"), f.get("client_domain")),
        user=_said(f.get("user_dn")) or _said(f.get("user")),
        vo=_vo(_said(f.get("user_vo")) or f.get("vo"), topic, _text(f.get("file_lfn"))),
        path=_text(f.get("file_lfn")),
        start=read_instant(f.get("start_time")),
        end=read_instant(f.get("end_time")),
        figures=[
            read_bytes(f.get(name))
            for name in ("read_bytes", "read_bytes_at_close", "write_bytes", "write_bytes_at_close")
        ],
        topic=topic,
        received_ms=received_ms,
        ref=ref,
    )


def _collector(f: dict[str, Any], topic: str, received_ms: int | None, ref: str) -> Complete:
    path = _text(f.get("filename")).replace("missing directory", "")
    names = ("server_hostname", "server_ip", "server")
    return _access(
        server=_host(next((_said(f.get(n)) for n in names if _said(f.get(n))), ""), ""),
        client=_host(f.get("host"), f.get("user_domain")),
        user=_said(f.get("user_dn")) or _said(f.get("token_subject")) or _said(f.get("user")),
        vo=_vo(f.get("vo"), topic, path),
        path=path,
        start=read_instant(f.get("start_time")),
        end=read_instant(f.get("end_time")),
        figures=[
            read_bytes(read_bytes(f.get("read")) + read_bytes(f.get("readv"))),
            read_bytes(f.get("read_bytes_at_close")),
            read_bytes(f.get("write")),
            read_bytes(f.get("write_bytes_at_close")),
        ],
        topic=topic,
        received_ms=received_ms,
        ref=ref,
    )


def _eos(f: dict[str, Any], topic: str, received_ms: int | None, ref: str) -> Complete:
    def instant(seconds: str, ms: str) -> int | None:
        begin = read_instant(f.get(seconds))
        rest = _text(f.get(ms))
        return begin + int(rest) if begin and rest.isdecimal() and int(rest) < 1000 else begin

    who, _, where = _text(f.get("td")).partition("@")
    return _access(
        server=_host(f.get("host"), ""),
        client=_host(_said(f.get("sec.host")) or where, ""),
        user=_said(f.get("sec.info")) or _said(f.get("sec.name")) or who.split(".")[0],
        vo=_vo(f.get("sec.vorg"), topic, _text(f.get("path"))),
        path=_text(f.get("path")),
        start=instant("ots", "otms"),
        end=instant("cts", "ctms"),
        figures=[read_bytes(f.get("rb")), 0, read_bytes(f.get("wb")), 0],
        topic=topic,
        received_ms=received_ms,
        ref=ref,
    )


def _cache(f: dict[str, Any], topic: str, received_ms: int | None, ref: str) -> Complete:
    def field(raw: str, renamed: str) -> Any:
        return f[raw] if f.get(raw) is not None else f.get(renamed)

    remotes = field("remotes", "remotes_origin")
    names = [n for n in (remotes if isinstance(remotes, list) else [remotes]) if isinstance(n, str) and n.strip()]
    origins = {host_of_url(n) or "unknown" for n in names}
    hit, miss = read_bytes(field("b_hit", "bytes_hit_cache")), read_bytes(field("b_miss", "bytes_miss_cache"))
    bypass, disk = read_bytes(field("b_bypass", "bytes_bypass_cache")), read_bytes(field("b_todisk", "bytes_to_disk"))
    path = _text(field("lfn", "file_path"))
    return _access(
        server=origins.pop() if len(origins) == 1 else "unknown",
        client=_host(_said(f.get("server_hostname")) or _said(f.get("server_ip")), ""),
        user="",
        vo=_vo(f.get("vo"), topic, path),
        path=path,
        start=read_instant(field("attach_t", "attach_time")),
        end=read_instant(field("detach_t", "detach_time")),
        figures=[hit, miss, bypass, disk],
        fetched=read_bytes(bypass + disk),
        topic=topic,
        received_ms=received_ms,
        ref=ref,
    )


def _tpc(f: dict[str, Any], topic: str, received_ms: int | None, ref: str) -> Complete:
    def field(of: dict[str, Any], raw: str, renamed: str) -> Any:
        return of[raw] if of.get(raw) is not None else of.get(renamed)

    xeq = field(f, "Xeq", "xeq") or {}
    source, destination = _text(field(f, "Src", "source")), _text(field(f, "Dst", "destination"))
    client = _text(field(f, "Client", "client"))
    paths = [url.split("://", 1)[1].partition("/")[2] if "://" in url else "" for url in (source, destination)]
    vos = [vo for vo in (_vo("", "", path) for path in paths) if vo != "unknown"]
    size = read_bytes(field(f, "Size", "size"))
    directions = {"pull": "read", "push": "write"}
    return _access(
        server=host_of_url(source, whole=False) or "unknown",
        client=host_of_url(destination, whole=False) or "unknown",
        user=client.partition("@")[0].partition(".")[0],
        vo=vos[0] if vos else "unknown",
        path=f"{source} {destination} {client}",
        start=_printed(field(xeq, "Beg", "begin_transfer")),
        end=_printed(field(xeq, "End", "end_transfer")),
        figures=[size, 0, 0, 0],
        fetched=size,
        direction=directions.get(_text(field(xeq, "Type", "flow_direction")).lower(), "unknown"),
        technology="xrootd-tpc",
        topic=topic,
        received_ms=received_ms,
        ref=ref,
    )


def _printed(value: Any) -> int | None:
    """Microseconds printed with at least three digits: .042 are 42 of them."""
    found = re.fullmatch(r"(.*T\d\d:\d\d:\d\d)\.(\d{1,6})Z", value) if isinstance(value, str) else None
    if not found:
        return read_instant(value)
    whole = read_instant(found[1] + "Z")
    return None if whole is None else whole + int(found[2]) // 1000


def _access(
    *,
    server: str,
    client: str,
    user: str,
    vo: str,
    path: str,
    start: int | None,
    end: int | None,
    figures: list[int],
    topic: str,
    received_ms: int | None,
    ref: str,
    fetched: int | None = None,
    direction: str = "",
    technology: str = "xrootd",
) -> Complete:
    """``fetched``: the ends are server to client whatever the figures, and so many bytes went."""
    if not end:
        raise Unusable("no_time")
    counted, at_close, written, written_at_close = figures
    source, destination, volume = server, client, fetched or 0
    if fetched is not None:
        direction = direction or ("read" if fetched else "unknown")
    elif counted or at_close:
        direction, volume = "read", max(counted, at_close)
    elif written or written_at_close:
        direction, volume = "write", max(written, written_at_close)
        source, destination = client, server
    else:
        direction = "unknown"
    times = {"timestamp_tr_st": start, "timestamp_tr_comp": end}
    identity = (technology, server, client, user, path, start or None, end, *figures)
    return Complete(
        ref=ref,
        received_ms=receipt_time(end, received_ms),
        event_ms=end,
        key=("record", *map(str, identity)),
        dedupe=identity,
        fts="",
        agent="",
        transfer_id="",
        job_id="",
        file_id="",
        vo=vo,
        activity="unknown",
        channel="",
        src_host=source,
        dst_host=destination,
        src_endpoint="",
        dst_endpoint="",
        state="ok",
        bytes=volume,
        times={name: instant for name, instant in times.items() if instant},
        start_was_zero=True,
        error_scope="",
        error_phase="",
        error_category="",
        error_code="",
        error_message="",
        technology=technology,
        direction=direction,
    )


def _text(value: Any) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _clean(value)


def _clean(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _said(value: Any) -> str:
    return "" if _text(value).lower() in NOTHING else _text(value)


def _host(host: Any, domain: Any) -> str:
    name, behind = host_of_url(_text(host)), _said(domain).strip(".").lower()
    if not name or name == "unknown":
        return "unknown"
    return name if "." in name or ":" in name or not behind else f"{name}.{behind}"


def _vo(vo: Any, topic: str, path: str) -> str:
    first = _said(vo).split(" ")[0]
    if first and first.lower() not in NOTHING:
        return first
    words = re.split(r"\W|_", topic)
    if "fax" in words:
        return "atlas"
    if "uscms" in words:
        return "cms"
    parts = path.lstrip("/").split("/")
    if len(parts) > 1 and parts[0] == "eos" and parts[1] in ("alice", "atlas", "cms", "lhcb"):
        return parts[1]
    return {"store": "cms", "atlas": "atlas"}.get(parts[0], "unknown")
