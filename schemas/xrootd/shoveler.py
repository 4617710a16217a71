"""The shoveler's envelope around a UDP packet of the server: which file and which user it is about stands in packets
before it, so only a collector that keeps state can make records of them.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from schemas import cleaning
from schemas.deadletters import Malformed
from schemas.envelope import RawMessage
from schemas.events import Complete
from schemas.rules import Horizon


class _Envelope(msgspec.Struct, gc=False):
    remote: object = None
    version: object = None
    data: object = None


_decode: Callable[[bytes], _Envelope] = msgspec.json.Decoder(_Envelope).decode


def parse(message: RawMessage, horizon: Horizon) -> list[Complete]:
    """Always raises Malformed: ``needs_collector`` for an envelope, else what is wrong with it."""
    refuse_envelope(cleaning.decode_object(message.body, _decode, _Envelope))
    raise Malformed("unknown_kind", "no shoveler envelope: it needs remote and data as text")


def refuse_envelope_in(body: bytes) -> None:
    """Raises Malformed ``needs_collector`` if a body that is no record of the kind expected is an envelope."""
    try:
        wire = cleaning.decode_object(body, _decode, _Envelope)
    except Malformed:
        return
    refuse_envelope(wire)


def refuse_envelope(wire: _Envelope) -> None:
    """Raises Malformed ``needs_collector`` for an envelope."""
    if isinstance(wire.data, str) and isinstance(wire.remote, str):
        raise Malformed("needs_collector", "a shoveler's packet: send it through an XRootD collector")
