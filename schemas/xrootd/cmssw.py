"""CMSSW's own record of a file that it closes: numbers, one UDP packet or several records in one.

``site_name`` is the client's site here and the server's elsewhere; sites come from the topology and it is not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import msgspec

from schemas import cleaning
from schemas.deadletters import Malformed
from schemas.envelope import RawMessage
from schemas.events import Complete
from schemas.framing import strip_frame
from schemas.rules import Horizon
from schemas.xrootd.file_close import FileClose, file_close

_decode: Callable[[bytes], FileClose] = msgspec.json.Decoder(FileClose).decode
_NOT_A_NUMBER = re.compile(r":\s*-?nan\b")
_GAP = re.compile(r",(\s*,)+")
_BETWEEN = re.compile(r"[\s,\x00\x04]*")
_LARGEST_PACKET = 65_535


def parse(message: RawMessage, horizon: Horizon) -> list[Complete]:
    """The events of a packet, all or none: one record that is broken makes the packet a dead letter."""
    try:
        wires = [cleaning.decode_object(message.body, _decode, FileClose)]
    except Malformed as problem:
        if problem.reason != "not_json" or len(message.body) > _LARGEST_PACKET:
            raise
        wires = [cleaning.decode_object(record, _decode, FileClose) for record in _records(message.body)]
    return [file_close(wire, message, horizon) for wire in wires]


def _records(body: bytes) -> list[bytes]:
    """The objects of a packet one by one, ``nan`` made null and empty places between commas taken out."""
    packet = strip_frame(body).decode("utf-8", "replace")
    packet = _GAP.sub(",", _NOT_A_NUMBER.sub(":null", packet))
    decoder = json.JSONDecoder()
    records = []
    position = 0
    while position < len(packet):
        try:
            value, position = decoder.raw_decode(packet, position)
        except ValueError as error:
            raise Malformed("not_json", f"not JSON: {error}") from None
        except RecursionError:
            raise Malformed("too_deep") from None
        records.append(json.dumps(value).encode())
        found = _BETWEEN.match(packet, position)
        position = found.end() if found else position
    return records
