"""The file-close record that GLED, CMSSW and the WLCG record have in common: the same names, few differences."""

from __future__ import annotations

import msgspec

from schemas import cleaning
from schemas.envelope import RawMessage
from schemas.events import XROOTD, Complete
from schemas.rules import Horizon, byte_count
from schemas.xrootd.access import Access, Wire, access_complete, full_host, ipver, said, vo_of


class FileClose(msgspec.Struct, gc=False):
    """The fields that are read; README.md says which format has which, and their units."""

    file_lfn: Wire = None
    file_size: Wire = None
    start_time: Wire = None
    end_time: Wire = None
    read_bytes: Wire = None
    read_bytes_at_close: Wire = None
    write_bytes: Wire = None
    write_bytes_at_close: Wire = None
    user_dn: Wire = None
    user: Wire = None
    user_vo: Wire = None
    vo: Wire = None
    client_host: Wire = None
    client_domain: Wire = None
    server_host: Wire = None
    server_domain: Wire = None
    server_ip: Wire = None
    ipv6: Wire = None
    data: Wire = None


def file_close(wire: FileClose, message: RawMessage, horizon: Horizon) -> Complete:
    """The event of a file-close record. Raises Malformed."""
    path = cleaning.text(wire.file_lfn)
    access = Access(
        full_host(said(wire.server_host) or said(wire.server_ip), wire.server_domain),
        full_host(wire.client_host, wire.client_domain),
        said(wire.user_dn) or said(wire.user),
        vo_of(said(wire.user_vo) or wire.vo, message.topic, path),
        path,
        wire.start_time,
        wire.end_time,
        byte_count(wire.read_bytes, "read_bytes"),
        byte_count(wire.read_bytes_at_close, "read_bytes_at_close"),
        byte_count(wire.write_bytes, "write_bytes"),
        byte_count(wire.write_bytes_at_close, "write_bytes_at_close"),
        cleaning.size(wire.file_size),
        "",
        ipver(wire.ipv6),
    )
    return access_complete(access, XROOTD, message, horizon)
