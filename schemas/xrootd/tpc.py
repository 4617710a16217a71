"""The g-stream record of a third-party copy, raw or as collectors rename it: both ends, as URLs, and the size.

The server prints it with plain ``%s``: a quote in a URL breaks the JSON, so the fields are then taken by their places.
It tells no VO, no site and no id. The same copy usually is an FTS transfer as well, hence its own technology.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from schemas import cleaning
from schemas.deadletters import Malformed
from schemas.envelope import RawMessage
from schemas.events import READ, UNKNOWN_DIRECTION, WRITE, XROOTD_TPC, Complete, Side
from schemas.framing import strip_frame
from schemas.hosts import UNKNOWN, host_of_url
from schemas.rules import Horizon, byte_count
from schemas.xrootd.access import Access, Ends, Wire, complete, vo_of_path


class _Times(msgspec.Struct, gc=False):
    Beg: Wire = None
    begin_transfer: Wire = None
    End: Wire = None
    end_transfer: Wire = None
    RC: Wire = None
    return_code: Wire = None
    Type: Wire = None
    flow_direction: Wire = None
    IPv: Wire = None
    ip_version: Wire = None


class _Copy(msgspec.Struct, gc=False):
    TPC: Wire = None
    tpc_protocol: Wire = None
    Client: Wire = None
    client: Wire = None
    Xeq: Wire = None
    xeq: Wire = None
    Src: Wire = None
    source: Wire = None
    Dst: Wire = None
    destination: Wire = None
    Size: Wire = None
    size: Wire = None
    data: Wire = None


_decode: Callable[[bytes], _Copy] = msgspec.json.Decoder(_Copy).decode
# Each step is atomic: a body made to be tried in many ways is tried in one.
_PLACES = re.compile(
    r"""\{\s*"TPC"\s*:\s*"(?>(?P<TPC>.*?)"\s*,\s*"Client"\s*:\s*")(?>(?P<Client>.*?)"\s*,\s*"Xeq"\s*:\s*)"""
    r"""(?>(?P<Xeq>\{[^{}]*\})\s*,\s*"Src"\s*:\s*")(?>(?P<Src>.*?)"\s*,\s*"Dst"\s*:\s*")"""
    r"""(?>(?P<Dst>.*?)"\s*,\s*"Size"\s*:\s*)(?P<Size>\d{1,20})\s*\}""",
    re.DOTALL,
)
_PRINTED_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{1,6})Z", re.ASCII)
_DIRECTIONS = {"pull": READ, "push": WRITE}
_VERSIONS = {"4": "ipv4", "6": "ipv6"}


def parse(message: RawMessage, horizon: Horizon) -> list[Complete]:
    """The event of a third-party copy: direction read when the destination pulled, write when the source pushed.

    Every record is ``ok`` by the rule for xrootd; a return code other than 0 is told as the error code. Raises
    Malformed.
    """
    wire = _wire(message.body)
    times = _times(_either(wire.Xeq, wire.xeq))
    source, destination = (
        cleaning.text(_either(wire.Src, wire.source)),
        cleaning.text(_either(wire.Dst, wire.destination)),
    )
    client = cleaning.text(_either(wire.Client, wire.client))
    size = byte_count(_either(wire.Size, wire.size), "Size")
    src, dst = Side(host_of_url(source), source, "", ""), Side(host_of_url(destination), destination, "", "")
    vo = vo_of_path(_path(source))
    access = Access(
        src.host,
        dst.host,
        client.partition("@")[0].partition(".")[0],
        vo_of_path(_path(destination)) if vo == UNKNOWN else vo,
        f"{source} {destination} {client}",
        _instant(_either(times.Beg, times.begin_transfer)),
        _instant(_either(times.End, times.end_transfer)),
        size,
        file_size=size,
        protocol=cleaning.text(_either(wire.TPC, wire.tpc_protocol)),
        ipver=_VERSIONS.get(cleaning.text(_either(times.IPv, times.ip_version)), ""),
    )
    direction = _DIRECTIONS.get(cleaning.text(_either(times.Type, times.flow_direction)).lower(), UNKNOWN_DIRECTION)
    code = cleaning.storable(cleaning.text(_either(times.RC, times.return_code)))
    ends = Ends(src, dst, direction, size)
    return [complete(access, ends, XROOTD_TPC, message, horizon, "" if code == "0" else code)]


def _wire(body: bytes) -> _Copy:
    try:
        return cleaning.decode_object(body, _decode, _Copy)
    except Malformed as problem:
        found = (
            _PLACES.fullmatch(strip_frame(body).decode("utf-8", "replace")) if problem.reason == "not_json" else None
        )
        if found is None:
            raise
        fields: dict[str, object] = {name: cleaning.storable(said) for name, said in found.groupdict().items()}
        try:
            fields["Xeq"] = msgspec.json.decode(found["Xeq"].encode())
        except msgspec.MsgspecError:
            raise problem from None
        return msgspec.convert(fields, _Copy)


def _times(xeq: object) -> _Times:
    if not isinstance(xeq, dict):
        return _Times()
    try:
        # Only these: msgspec raises for a name with half a character, also where nobody asks for it.
        return msgspec.convert({name: xeq[name] for name in _Times.__struct_fields__ if name in xeq}, _Times)
    except msgspec.ValidationError:
        return _Times()


def _instant(value: object) -> object:
    """A printed time as ms. The server prints microseconds with at least three digits: ``.042`` are 42 of them."""
    found = _PRINTED_TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return value
    try:
        second = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    except ValueError:
        return value
    return round(second.timestamp()) * 1000 + int(found[2]) // 1000


def _path(url: str) -> str:
    return url.partition("://")[2].partition("/")[2]


def _either(raw: object, renamed: object) -> object:
    return renamed if raw is None else raw
