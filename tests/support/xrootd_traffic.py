"""xrootd records by the hundred, as a file of recorded messages: all formats, copies, broken ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from schemas import topics
from tests.support.fts_messages import DAY, HOUR, MINUTE, T
from tests.support.xrootd_messages import PLAIN

KIND_OF: dict[str, str] = {
    "xrdpop.fax_popularity": topics.XROOTD_GLED,
    "xrdpop.uscms_popularity": topics.XROOTD_GLED,
    "xrd.wlcg_format": topics.XROOTD_WLCG,
    "xrd.detailed": topics.XROOTD_COLLECTOR,
    "xrd.cache.stash": topics.XROOTD_CACHE,
    "xrd.tpc": topics.XROOTD_TPC,
    "test.cmssw": topics.XROOTD_CMSSW,
    "test.eos": topics.XROOTD_EOS,
}
HOSTS = ("eosatlas.cern.ch", "webdav.mwt2.org", "xrd3.gridka.de", "wn12.cnaf.infn.it", "wn9", "unknown", "")
DOMAINS = ("cern.ch", "gridka.de", "", "unknown")
PATHS = ("/store/data/%d.root", "/atlas/rucio/%d", "//eos/lhcb/%d", "/other/%d")
FIGURES = (0, 0, 1, 7, 1000, 10**9, 2**53)
VOS = ("", "cms", "cms cms", "unknown", "lhcb", "noVO")
BROKEN: tuple[dict[str, Any], ...] = (
    {"end_time": "soon", "detach_t": "soon", "eos.cts": "soon", "Xeq": {"End": "soon"}},
    {"end_time": "", "detach_t": 0, "eos.cts": "0", "Xeq": {}},
    {"write_bytes": -1, "write": "many", "b_hit": 1.5, "eos.wb": "-1", "Size": 2**53 + 1},
    {
        "end_time": (T + 9 * DAY) // 1000,
        "detach_t": T + 9 * DAY,
        "eos.cts": str((T + 9 * DAY) // 1000),
        "Xeq": {"End": "2026-12-22T02:00:00.000001Z"},
    },
)


def write_traffic(path: Path, number: int, seed: int) -> None:
    """So many records, one file each; a tenth repeated, a twentieth broken, some open for days."""
    rng = Random(seed)
    lines: list[str] = []
    for serial in range(number):
        topic = rng.choice(list(KIND_OF))
        body = json.dumps(_fields(rng, KIND_OF[topic], serial))
        if topic == "test.cmssw" and rng.random() < 0.5:
            body += json.dumps(_fields(rng, KIND_OF[topic], serial + number))
        received = T + 2 * HOUR + rng.randrange(HOUR)
        lines += [json.dumps({"topic": topic, "body": body, "received": received})] * (2 if rng.random() < 0.1 else 1)
    rng.shuffle(lines)
    path.write_text("\n".join(lines), encoding="utf-8")


def _fields(rng: Random, kind: str, serial: int) -> dict[str, Any]:
    end_ms = T + rng.randrange(2 * HOUR) // 1000 * 1000
    length = rng.choice((0, MINUTE, 25 * MINUTE, 3 * DAY, 8 * DAY, -MINUTE))
    start, end = (end_ms - length) // 1000, end_ms // 1000
    path, size = rng.choice(PATHS) % serial, rng.choice(FIGURES)
    fields: dict[str, Any] = dict(PLAIN[kind])
    if kind == topics.XROOTD_COLLECTOR:
        scale = rng.choice((1, 1000))
        fields |= {"start_time": start * scale, "end_time": end * scale, "filename": path, "read": size % 1000}
        fields |= {"readv": rng.choice((0, 5)), "write": rng.choice(FIGURES), "write_bytes_at_close": size}
        fields |= {"server_hostname": rng.choice(HOSTS), "server_ip": "192.0.2.1", "host": rng.choice(HOSTS)}
        fields |= {"user_domain": rng.choice(DOMAINS), "vo": rng.choice(VOS), "user_dn": rng.choice(("", "/CN=B"))}
    elif kind == topics.XROOTD_CACHE:
        fields |= {"attach_t": start, "detach_t": end, "lfn": path, "b_todisk": size % 10**6, "b_bypass": 3}
        fields |= {"remotes": rng.sample(HOSTS[:4], rng.randrange(3)), "server_hostname": rng.choice(HOSTS)}
    elif kind == topics.XROOTD_TPC:
        fields |= {"Src": f"root://{rng.choice(HOSTS)}:1094/{path}", "Dst": "root://xrd3.gridka.de//data", "Size": size}
        begun, ended = (datetime.fromtimestamp(second, UTC).strftime("%FT%T") for second in (start, end))
        fields["Xeq"] = fields["Xeq"] | {"Type": rng.choice(("pull", "push", "?")), "RC": rng.randrange(2)}
        fields["Xeq"] |= {"Beg": f"{begun}.{serial:03d}Z", "End": f"{ended}.{serial:03d}Z"}
    elif kind == topics.XROOTD_EOS:
        fields |= {"eos.ots": str(start), "eos.cts": str(end), "eos.ctms": str(rng.randrange(1000)), "eos.path": path}
        fields |= {"eos.rb": str(size), "eos.wb": str(rng.choice(FIGURES)), "eos.sec.host": rng.choice(HOSTS)}
    else:
        fields |= {"start_time": str(start), "end_time": end, "file_lfn": path, "read_bytes": str(size)}
        fields |= {"read_bytes_at_close": rng.choice((0, size)), "write_bytes": rng.choice(FIGURES)}
        fields |= {"server_host": rng.choice(HOSTS), "server_domain": rng.choice(DOMAINS)}
        fields |= {"client_host": rng.choice(HOSTS), "client_domain": rng.choice(DOMAINS), "user_vo": rng.choice(VOS)}
    if rng.random() < 0.05:
        fields |= {name: value for name, value in rng.choice(BROKEN).items() if name in fields}
    return fields
