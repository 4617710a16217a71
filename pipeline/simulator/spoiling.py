"""How any JSON message is spoiled so that nobody can use it: one thing wrong in it, or no message at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

DAY_MS = 86_400_000
DEPTH = 3000

Fields = dict[str, Any]
Spoils = Mapping[str, Callable[[Fields, int], None]]
"""Reason of the dead letter -> what makes a message end for it, by 64 random bits."""


def too_late(instant_ms: int) -> int:
    """Days after it was received."""
    return instant_ms + 3 * DAY_MS


def too_old(instant_ms: int) -> int:
    """Longer ago than single transfers are kept."""
    return instant_ms - 45 * DAY_MS


def spoiled(good: bytes, reason: str, spoils: Spoils, noise: int) -> bytes:
    """A good body made unusable for ``reason``; which of the reason's forms it takes is ``noise``."""
    if reason in BODIES:
        return BODIES[reason](good, noise)
    fields: Fields = orjson.loads(good.decode("utf-8", "replace"))
    spoils[reason](fields, noise)
    return orjson.dumps(fields, option=orjson.OPT_INDENT_2) + b" "


def without(fields: Fields, name: str) -> None:
    """Leave a field out."""
    del fields[name]


def no_time(fields: Fields, names: Sequence[str], noise: int) -> None:
    """Nothing happened, in one of the ways in which messages say so."""
    for name in names:
        fields[name] = (0, "", "0.000000")[noise % 3]


def shifted(fields: Fields, names: Sequence[str], shift: Callable[[int], int]) -> None:
    """Other times; text stays text. Times that are none, or 0, stay."""
    for name in names:
        value = fields[name]
        if value:
            fields[name] = str(shift(int(value))) if isinstance(value, str) else shift(value)


def _empty(good: bytes, noise: int) -> bytes:
    return (b"", b" ", b"\x04", b"\x00")[noise % 4]


def _not_json(good: bytes, noise: int) -> bytes:
    """A page of a proxy, or a message that was cut off in the middle."""
    if noise % 2:
        return b"<html><body><h1>503 Service Unavailable</h1></body></html>"
    return good[: 1 + noise // 2 % (len(good) - 4)]


def _too_deep(good: bytes, noise: int) -> bytes:
    opening, closing = ((b"[", b"]"), (b'{"a":', b"}"))[noise % 2]
    return opening * DEPTH + b"0" + closing * DEPTH


def _not_object(good: bytes, noise: int) -> bytes:
    return (b"[" + good + b"]", b'"' + b"transfer" + b'"', b"null")[noise % 3]


BODIES: dict[str, Callable[[bytes, int], bytes]] = {
    "empty": _empty,
    "not_json": _not_json,
    "too_deep": _too_deep,
    "not_object": _not_object,
}
"""What is no message at all, whatever it was to be."""
