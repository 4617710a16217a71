"""Wire times: seconds, ms or microseconds since the epoch as number or decimal text, or ISO 8601.

The unit is told by magnitude. Empty, absent and 0 mean "did not happen", never 1970: 2011's messages send ``""`` and
``"0.000000"``, FTS3 sends 0 (cern-fts/fts3, src/url-copy/LegacyReporter.cpp).
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal

from schemas.numbers import decimal_of

MAX_MS = 253_402_214_399_999
"""The last ms of 9999-12-30, the last day whose end is a time as well: later is "for ever" or a broken number."""

_MICROSECONDS_FROM = 10**14
_MS_FROM = 10**11
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_MS = Decimal("0.001")


class BadTime(ValueError):
    """The value is there but is not a time."""


def wire_time(value: object) -> int | None:
    """ms since the epoch, cut to whole ms; ``None`` when it did not happen.

    Raises BadTime when something is there that cannot be read as a time: text, a negative number, NaN, one after
    9999-12-30, a list, true.
    """
    if type(value) is int:
        if _MS_FROM <= value < _MICROSECONDS_FROM:
            return value
        return _from_number(Decimal(value))
    if value is None or value == "":
        return None
    if type(value) is str:
        text = value.strip()
        whole, _, fraction = text.partition(".")
        # "1321612263000.000000", the form of 2011 and 2012, without the price of a Decimal.
        if len(whole) == 13 and whole[0] != "0" and whole.isdecimal() and whole.isascii() and not fraction.strip("0"):
            return int(whole)
        return _from_text(text)
    if type(value) is float:
        number = decimal_of(value)
        if number is not None:
            return _from_number(number)
    raise BadTime(f"{value!r:.80} is not a time")


def is_zero_time(value: object) -> bool:
    """Whether a time was sent as 0, in contrast to being empty or absent. Raises BadTime."""
    absent = value is None or (type(value) is str and not value.strip())
    return not absent and wire_time(value) is None


def _from_text(text: str) -> int | None:
    if not text:
        return None
    number = decimal_of(text)
    if number is not None:
        return _from_number(number)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadTime(f"{text!r:.80} is not a time") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    return _checked(since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000)


def _from_number(number: Decimal) -> int | None:
    if number == 0:
        return None
    if number < 0 or number >= (MAX_MS + 1) * 1000:
        raise BadTime(f"{number!s:.80} is not a time")
    if number >= _MICROSECONDS_FROM:
        return _checked(int(number) // 1000)
    if number >= _MS_FROM:
        return _checked(int(number))
    return _checked(int(number.quantize(_ONE_MS, ROUND_DOWN) * 1000))


def _checked(ms: int) -> int | None:
    if ms < 0 or ms > MAX_MS:
        raise BadTime(f"{ms} ms lies outside 1970 to 9999-12-30")
    return ms or None
