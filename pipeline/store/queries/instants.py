"""What people write for a time: ISO 8601, seconds or ms since the epoch, ``now``, ``-2h``, ``now-30m``."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pipeline.store.queries.errors import BadQuery
from schemas.times import MAX_MS, BadTime, wire_time

_RELATIVE = re.compile(r"(?:now)?(?:([+-])(\d{1,9})([smhdw]))?")
_UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
EXPECTED = "write an ISO 8601 time (2026-11-22T10:00Z; UTC unless it says otherwise), -2h, now-30m or now"


def parse_instant(text: str, now_ms: int) -> int:
    """ms since the epoch of what was written; ``now_ms`` is where relative times start.

    Raises BadQuery when it cannot be read.
    """
    written = text.strip()
    match = _RELATIVE.fullmatch(written)
    if match and written:
        sign, number, unit = match.groups()
        shift = int(number) * _UNIT_MS[unit] if number else 0
        found: int | None = now_ms + (-shift if sign == "-" else shift)
    else:
        try:
            found = wire_time(written)
        except BadTime:
            found = None
    if found is None or not 0 <= found <= MAX_MS:
        raise BadQuery(f"{text!r} is not a time: {EXPECTED}")
    return found


def to_datetime(ms: int) -> datetime:
    """The instant as Postgres takes it: aware, UTC, exact to the ms."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def floor_ms(ms: int, width_ms: int) -> int:
    """The edge of the window that holds ``ms``."""
    return ms - ms % width_ms


def ceil_ms(ms: int, width_ms: int) -> int:
    """The first window edge not before ``ms``."""
    return -(-ms // width_ms) * width_ms
