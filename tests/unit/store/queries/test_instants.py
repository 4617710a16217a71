"""Times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.queries.errors import BadQuery
from pipeline.store.queries.instants import ceil_ms, floor_ms, parse_instant, to_datetime

NOW = 1_795_311_600_000  # 2026-11-22T01:40:00Z


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("now", NOW),
        ("-2h", NOW - 7_200_000),
        ("now-30m", NOW - 1_800_000),
        ("+1d", NOW + 86_400_000),
        ("-90s", NOW - 90_000),
        ("-1w", NOW - 604_800_000),
        ("2026-11-22T01:40:00Z", NOW),
        ("2026-11-22T02:40+01:00", NOW),
        ("2026-11-22 01:40", NOW),
        ("2026-11-22", NOW - 6_000_000),
        ("1795311600", NOW),
        ("1795311600000", NOW),
    ],
)
def test_a_time_can_be_absolute_or_relative_to_now(text: str, ms: int) -> None:
    assert parse_instant(text, NOW) == ms


@pytest.mark.parametrize(
    "text", ["", " ", "yesterday", "2h", "-2y", "now-", "-h", "12:00", "-999999999w", "99999-01-01"]
)
def test_what_is_no_time_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(BadQuery, match="ISO 8601"):
        parse_instant(text, NOW)


@given(st.integers(0, 253_402_300_799_999), st.sampled_from([600_000, 3_600_000, 86_400_000]))
def test_window_edges_enclose_the_instant(ms: int, width: int) -> None:
    low, high = floor_ms(ms, width), ceil_ms(ms, width)
    assert low <= ms <= high
    assert low % width == high % width == 0
    assert high - low == (0 if ms % width == 0 else width)


@given(st.integers(0, 253_402_300_799_999))
def test_an_instant_reaches_the_database_exact_to_the_ms(ms: int) -> None:
    moment = to_datetime(ms)
    assert moment.tzinfo is not None
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) == ms
    assert moment.microsecond % 1000 == 0
