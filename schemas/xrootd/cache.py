"""The cache's g-stream record of a file that it detaches: what it fetched from remote, raw or as collectors rename it.

The record tells two movements. Counted is the one that nobody else tells: the cache, as client, reads from the origin
what goes to its disk or past it. What it hands to its own clients stands in the file-close records of the same server.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from schemas import cleaning
from schemas.envelope import RawMessage
from schemas.events import READ, UNKNOWN_DIRECTION, XROOTD, Complete, Side
from schemas.hosts import UNKNOWN, host_name, host_of_url
from schemas.rules import Horizon, byte_count
from schemas.xrootd.access import Access, Ends, Wire, both, complete, full_host, said, vo_of


class _Detached(msgspec.Struct, gc=False):
    lfn: Wire = None
    file_path: Wire = None
    size: Wire = None
    attach_t: Wire = None
    attach_time: Wire = None
    detach_t: Wire = None
    detach_time: Wire = None
    remotes: Wire = None
    remotes_origin: Wire = None
    b_hit: Wire = None
    bytes_hit_cache: Wire = None
    b_miss: Wire = None
    bytes_miss_cache: Wire = None
    b_bypass: Wire = None
    bytes_bypass_cache: Wire = None
    b_todisk: Wire = None
    bytes_to_disk: Wire = None
    server_hostname: Wire = None
    server_ip: Wire = None
    vo: Wire = None
    data: Wire = None


_decode: Callable[[bytes], _Detached] = msgspec.json.Decoder(_Detached).decode


def parse(message: RawMessage, horizon: Horizon) -> list[Complete]:
    """The event of a cache's record. Raises Malformed."""
    wire = cleaning.decode_object(message.body, _decode, _Detached)
    path = cleaning.text(_either(wire.lfn, wire.file_path))
    bypass = _either(wire.b_bypass, wire.bytes_bypass_cache)
    to_disk = _either(wire.b_todisk, wire.bytes_to_disk)
    fetched = both(to_disk, bypass, "to disk + bypass")
    origin = _origin(_either(wire.remotes, wire.remotes_origin))
    access = Access(
        origin,
        full_host(said(wire.server_hostname) or said(wire.server_ip), ""),
        "",
        vo_of(wire.vo, message.topic, path),
        path,
        _either(wire.attach_t, wire.attach_time),
        _either(wire.detach_t, wire.detach_time),
        byte_count(_either(wire.b_hit, wire.bytes_hit_cache), "hit"),
        byte_count(_either(wire.b_miss, wire.bytes_miss_cache), "miss"),
        byte_count(bypass, "bypass"),
        byte_count(to_disk, "to disk"),
        cleaning.size(wire.size),
    )
    direction = READ if fetched else UNKNOWN_DIRECTION
    ends = Ends(Side(origin, path, "", ""), Side(access.client, "", "", ""), direction, fetched)
    return [complete(access, ends, XROOTD, message, horizon)]


def _either(raw: object, renamed: object) -> object:
    return renamed if raw is None else raw


def _origin(remotes: object) -> str:
    """The one host that the bytes came from; of several nobody says how many came from which."""
    names = remotes if isinstance(remotes, list) else [remotes]
    hosts = {_host(name) for name in names if isinstance(name, str) and name.strip()}
    return hosts.pop() if len(hosts) == 1 else UNKNOWN


def _host(name: str) -> str:
    cleaned = cleaning.storable(name)
    return host_of_url(cleaned) if "://" in cleaned else host_name(cleaned.partition("/")[0].rpartition("@")[2])
