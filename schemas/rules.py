"""Rules that hold for every kind of message: times, how old a record may be, durations, intervals, byte counts.

semantics.md has them under Time, Windows and Outcome; what breaks one becomes a dead letter.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.deadletters import Malformed
from schemas.events import INTERVAL_EMPTY, INTERVAL_IGNORED, INTERVAL_NONE, INTERVAL_USED
from schemas.numbers import decimal_of, whole
from schemas.times import BadTime, wire_time

DAY_MS = 86_400_000
_MAX_STAGE_MS = 7 * DAY_MS
_MAX_BYTES = 2**53
"""Above it is no file but an unsigned wrap-around; sums of it still fit Postgres's numbers."""
_INTERVAL_SLACK_MS = 60_000
_MAX_AHEAD_MS = DAY_MS


class Horizon(NamedTuple):
    """How old a record may be: ``raw_retention_ms`` before its receipt, and never before ``raw_floor_ms``."""

    raw_retention_ms: int = 30 * DAY_MS
    raw_floor_ms: int | None = None


def time_field(value: object, field: str) -> int | None:
    """ms since the epoch; None when it did not happen. Raises Malformed ``bad_time`` when it cannot be read."""
    try:
        return wire_time(value)
    except BadTime as error:
        raise Malformed("bad_time", f"{field}: {error}") from None


def within(event_ms: int, received_ms: int | None, horizon: Horizon) -> int:
    """The receipt time, the event time where nobody tells it. Raises Malformed ``future``, ``too_old``."""
    received = event_ms if received_ms is None else received_ms
    if event_ms > received + _MAX_AHEAD_MS:
        raise Malformed("future", f"event time {event_ms} ms is more than 24 h after the receipt time {received} ms")
    oldest = received - horizon.raw_retention_ms
    if event_ms < oldest or (horizon.raw_floor_ms is not None and event_ms < horizon.raw_floor_ms):
        raise Malformed("too_old", f"event time {event_ms} ms is older than what is kept")
    return received


def duration(begin: int | None, end: int | None) -> int | None:
    """ms of a stage; None when an end is missing, its end precedes its start or it lasts more than 7 days."""
    if begin is None or end is None or end < begin or end - begin > _MAX_STAGE_MS:
        return None
    return end - begin


def interval(begin: int | None, end: int | None, event_ms: int, raw_floor_ms: int | None) -> int:
    """What becomes of an interval in which bytes moved: one of ``schemas.events.INTERVAL_...``."""
    if begin is None or end is None:
        return INTERVAL_NONE
    if end <= begin:
        return INTERVAL_EMPTY
    before_floor = raw_floor_ms is not None and begin < raw_floor_ms
    if end - begin > _MAX_STAGE_MS or before_floor or end > event_ms + _INTERVAL_SLACK_MS:
        return INTERVAL_IGNORED
    return INTERVAL_USED


def byte_count(value: object, field: str) -> int:
    """Whole bytes from number or text, 0 when absent. Raises Malformed ``bad_bytes``."""
    if value is None:
        return 0
    if type(value) is str:
        # Digits alone, as records of text have them, without the price of a Decimal.
        value = int(value) if value.isdecimal() and value.isascii() and len(value) < 20 else value.strip() or 0
    if type(value) is int:
        count: int | None = value
    else:
        number = decimal_of(value)
        count = None if number is None or abs(number) > _MAX_BYTES else whole(number)
    if count is None or count < 0 or count > _MAX_BYTES:
        raise Malformed("bad_bytes", f"{field} is {value!r:.80}")
    return count
