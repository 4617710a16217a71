"""xrootd records as tests state them: the samples, a plain record of each format, and what differs in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas import topics
from schemas.events import Complete
from schemas.rules import Horizon
from schemas.xrootd import PARSERS
from tests.support.fts_messages import ABSENT, HOUR, T, raw

DATA = Path(__file__).parents[1] / "data" / "xrootd"

SAMPLES: dict[str, str] = {
    "gled_2017-04-10_monit.json": topics.XROOTD_GLED,
    "gled_2019_enriched.json": topics.XROOTD_GLED,
    "constructed_gled_2014.json": topics.XROOTD_GLED,
    "constructed_gled_2012.txt": topics.XROOTD_GLED,
    "cmssw_2014.json": topics.XROOTD_CMSSW,
    "constructed_cmssw_packet.txt": topics.XROOTD_CMSSW,
    "wlcg_2013.json": topics.XROOTD_WLCG,
    "constructed_wlcg_go.json": topics.XROOTD_WLCG,
    "constructed_collector_python.json": topics.XROOTD_COLLECTOR,
    "constructed_collector_go.json": topics.XROOTD_COLLECTOR,
    "cache_raw_2023.json": topics.XROOTD_CACHE,
    "constructed_cache_renamed.json": topics.XROOTD_CACHE,
    "tpc_raw_2022.json": topics.XROOTD_TPC,
    "constructed_tpc_renamed.json": topics.XROOTD_TPC,
    "constructed_tpc_unescaped.txt": topics.XROOTD_TPC,
    "eos_2017_text.json": topics.XROOTD_EOS,
    "eos_2019_prefixed.json": topics.XROOTD_EOS,
    "eos_2019_plain.json": topics.XROOTD_EOS,
}
"""Every sample that is one message, with its kind."""

_FILE_CLOSE: dict[str, Any] = {
    "file_lfn": "/store/a.root",
    "file_size": 5000,
    "start_time": T // 1000,
    "end_time": T // 1000 + 100,
    "read_bytes": 1000,
    "read_bytes_at_close": 900,
    "write_bytes": 0,
    "write_bytes_at_close": 0,
    "user_dn": "/CN=A",
    "client_host": "wn1",
    "client_domain": "x.org",
    "server_host": "xrd1",
    "server_domain": "y.org",
    "unique_id": "one",
}
PLAIN: dict[str, dict[str, Any]] = {
    topics.XROOTD_GLED: {name: str(value) for name, value in _FILE_CLOSE.items()} | {"user_vo": "cms"},
    topics.XROOTD_CMSSW: _FILE_CLOSE,
    topics.XROOTD_WLCG: _FILE_CLOSE | {"vo": "cms", "ipv6": True},
    topics.XROOTD_COLLECTOR: {
        "start_time": T,
        "end_time": T + 100_000,
        "server_hostname": "xrd1.y.org",
        "host": "wn1.x.org",
        "user_dn": "/CN=A",
        "vo": "cms",
        "filename": "/store/a.root",
        "filesize": 5000,
        "read": 900,
        "readv": 100,
        "write": 0,
    },
    topics.XROOTD_CACHE: {
        "lfn": "/store/a.root",
        "size": 5000,
        "attach_t": T // 1000,
        "detach_t": T // 1000 + 100,
        "remotes": ["root://xrd1.y.org:1094/"],
        "b_hit": 1,
        "b_miss": 2,
        "b_bypass": 300,
        "b_todisk": 700,
        "server_hostname": "wn1.x.org",
    },
    topics.XROOTD_TPC: {
        "TPC": "xroot",
        "Client": "a.1:2@c.x.org",
        "Xeq": {
            "Beg": "2026-11-22T02:00:00.000042Z",
            "End": "2026-11-22T02:01:40.000001Z",
            "RC": 0,
            "Type": "pull",
            "IPv": 6,
        },
        "Src": "xroot://xrd1.y.org:1094//store/a.root",
        "Dst": "xroot://wn1.x.org:1094//store/a.root",
        "Size": 1000,
    },
    topics.XROOTD_EOS: {
        "eos.host": "xrd1.y.org",
        "eos.path": "/store/a.root",
        "eos.ots": str(T // 1000),
        "eos.otms": "0",
        "eos.cts": str(T // 1000 + 100),
        "eos.ctms": "0",
        "eos.rb": "1000",
        "eos.wb": "0",
        "eos.csize": "5000",
        "eos.td": "a.1:2@wn1",
        "eos.sec.host": "wn1.x.org",
        "eos.sec.info": "/CN=A",
    },
}
"""A record of each format that tells the same access: wn1.x.org read 1000 bytes of xrd1.y.org in 100 s from T on."""


def sample(name: str) -> bytes:
    return (DATA / name).read_bytes()


def records(kind: str, body: Mapping[str, Any] | bytes, received_ms: int | None = T + HOUR) -> list[Complete]:
    return PARSERS[kind](raw(kind, body, received_ms), Horizon())


def record(kind: str, received_ms: int | None = T + HOUR, **changes: Any) -> Complete:
    """The event of the plain record with changes; ``ABSENT`` leaves a field out."""
    fields = {name: value for name, value in (PLAIN[kind] | changes).items() if value is not ABSENT}
    (found,) = records(kind, fields, received_ms)
    return found
