"""xrootd records for benchmarks: one of each large feed, with numbers of its own, shaped as its producers do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

from schemas import topics
from schemas.envelope import RawMessage

_SECOND = 1_795_300_000
_STATISTICS = {
    f"{what}_{figure}": "123456.000000"
    for what in ("read", "read_single", "read_vector", "read_vector_count", "write")
    for figure in ("operations", "min", "max", "average", "sigma")
}


def xrootd_records(number: int) -> list[RawMessage]:
    """So many records, a third each of GLED, an OSG collector and EOS."""
    return list(islice(_records(), number))


def _records() -> Iterator[RawMessage]:
    serial = 0
    while True:
        serial += 1
        path, start, size = f"/store/data/Run2026/{serial}.root", _SECOND + serial % 86_400, 10**9 + serial
        user, client = f"/DC=ch/DC=cern/OU=Organic Units/OU=Users/CN=user{serial % 500}", f"wn{serial % 900}"
        gled = _STATISTICS | {
            "unique_id": f"03404bbc-1d90-11e7-9717-{serial:012x}-2e48",
            "file_lfn": path,
            "file_size": str(size),
            "start_time": str(start),
            "end_time": str(start + 690),
            "read_bytes": str(size),
            "read_bytes_at_close": str(size),
            "write_bytes": "0",
            "write_bytes_at_close": "0",
            "user_dn": user,
            "user_vo": "cms",
            "client_host": client,
            "client_domain": "cern.ch",
            "server_host": f"p{serial % 300}",
            "server_domain": "cern.ch",
        }
        collector = _STATISTICS | {
            "start_time": start * 1000,
            "end_time": (start + 690) * 1000,
            "serverID": f"{start}#192.0.2.17#1094",
            "server_hostname": f"xrd{serial % 300}.example.edu",
            "host": f"{client}.example.edu",
            "user_dn": user,
            "vo": "cms cms",
            "filename": path,
            "filesize": size,
            "read": size,
            "readv": 5,
            "write": 0,
        }
        eos = {
            "data": f'"log={serial:x}&path={path}&ruid=8959&rgid=1399&td=u.{serial}:472@{client}'
            f"&host=p{serial % 300}.cern.ch"
            f"&lid=1048850&fid={serial}&fsid=18722&ots={start}&otms=918&cts={start + 690}&ctms=225&rb={size}&rb_min=104"
            "&rb_max=524288&rb_sigma=239596.05&wb=0&wb_min=0&wb_max=0&wb_sigma=0.00&sfwdb=7576183815&nrc=72&nwc=0"
            f"&rt=9130.44&wt=0.00&osize={size}&csize={size}&sec.prot=gsi&sec.name=cmsprd&sec.host={client}.cern.ch"
            f'&sec.vorg=&sec.grps=&sec.role=&sec.info={user}&sec.app="',
        }
        for kind, fields in (
            (topics.XROOTD_GLED, gled),
            (topics.XROOTD_COLLECTOR, collector),
            (topics.XROOTD_EOS, eos),
        ):
            yield RawMessage(kind, kind, json.dumps(fields).encode(), {}, (start + 700) * 1000, "", "")
