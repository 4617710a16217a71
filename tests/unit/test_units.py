"""Values as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipeline.store.queries.columns import Kind
from pipeline.units import count, duration, human, iso, moment, scaled


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (1_234_567, "1.23 MB"),
        (9_994_999, "9.99 MB"),
        (9_996_000, "10.0 MB"),
        (99_960_000, "100 MB"),
        (999_400_000, "999 MB"),
        (999_600_000, "1.00 GB"),
        (10**13, "10.0 TB"),
        (2**63 - 1, "9.22 EB"),
        (10**23, "100000 EB"),
        (-1_500, "-1.50 kB"),
    ],
)
def test_sizes_have_decimal_units_and_three_digits(value: int, text: str) -> None:
    assert scaled(value, "B") == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (999.6, "1.0 s"),
        (59_940, "59.9 s"),
        (59_960, "1 min 00 s"),
        (306_000, "5 min 06 s"),
        (7_500_000, "2 h 05 min"),
        (273_600_000, "3 d 04 h"),
        (-1_500, "-1.5 s"),
    ],
)
def test_durations_read_in_two_steps_of_units(ms: float, text: str) -> None:
    assert duration(ms) == text


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "ratio", "-"),
        (0.9734, "ratio", "97.3 %"),
        (12_345, "count", "12 345"),
        (2.5, "count", "2.5"),
        (1.5e6, "rate", "1.50 MB/s"),
        (True, "flag", "yes"),
        (False, "flag", "no"),
        ("x", "text", "x"),
        ({"a": "1", "b": "2"}, "headers", "a=1 b=2"),
    ],
)
def test_each_kind_of_column_has_its_form(value: object, kind: Kind, text: str) -> None:
    assert human(value, kind) == text


def test_times_are_utc_whatever_their_zone() -> None:
    noon = datetime(2026, 11, 22, 13, 0, 0, tzinfo=timezone(timedelta(hours=1)))
    assert moment(noon) == "2026-11-22 12:00Z"
    assert iso(noon) == "2026-11-22T12:00:00Z"
    assert iso(datetime(2026, 11, 22, 12, 0, 0, 7000, tzinfo=UTC)) == "2026-11-22T12:00:00.007Z"


def test_a_whole_mean_is_a_whole_number() -> None:
    assert count(1234.0) == "1 234"
