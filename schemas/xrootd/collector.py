"""File-close records of the OSG collector (Python: ms) and the Pelican collector (Go: seconds)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from schemas import cleaning
from schemas.envelope import RawMessage
from schemas.events import XROOTD, Complete
from schemas.rules import Horizon, byte_count
from schemas.xrootd.access import Access, Wire, access_complete, both, full_host, ipver, said, vo_of

_NO_PATH = "missing directory"


class _Record(msgspec.Struct, gc=False):
    start_time: Wire = None
    end_time: Wire = None
    server_hostname: Wire = None
    server_ip: Wire = None
    server: Wire = None
    host: Wire = None
    user_domain: Wire = None
    user_dn: Wire = None
    token_subject: Wire = None
    user: Wire = None
    vo: Wire = None
    filename: Wire = None
    filesize: Wire = None
    read: Wire = None
    readv: Wire = None
    write: Wire = None
    read_bytes_at_close: Wire = None
    write_bytes_at_close: Wire = None
    protocol: Wire = None
    ipv6: Wire = None
    data: Wire = None


_decode: Callable[[bytes], _Record] = msgspec.json.Decoder(_Record).decode


def parse(message: RawMessage, horizon: Horizon) -> list[Complete]:
    """The event of a collector's record. Raises Malformed."""
    wire = cleaning.decode_object(message.body, _decode, _Record)
    path = cleaning.text(wire.filename)
    if path == _NO_PATH:
        path = ""
    access = Access(
        full_host(said(wire.server_hostname) or said(wire.server_ip) or said(wire.server), ""),
        full_host(wire.host, wire.user_domain),
        said(wire.user_dn) or said(wire.token_subject) or said(wire.user),
        vo_of(wire.vo, message.topic, path),
        path,
        wire.start_time,
        wire.end_time,
        both(wire.read, wire.readv, "read + readv"),
        byte_count(wire.read_bytes_at_close, "read_bytes_at_close"),
        byte_count(wire.write, "write"),
        byte_count(wire.write_bytes_at_close, "write_bytes_at_close"),
        cleaning.size(wire.filesize),
        said(wire.protocol),
        ipver(wire.ipv6),
    )
    return [access_complete(access, XROOTD, message, horizon)]
