"""What is kept at an instant."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.retention import Oldest, Retention
from tests.support.fts_messages import DAY

DAYS = st.integers(1, 36500)


def test_whole_days_before_today() -> None:
    assert Retention(1, 2, 3).oldest(10 * DAY) == Oldest(9 * DAY, 8 * DAY, 7 * DAY)
    assert Retention(1, 2, 3).oldest(11 * DAY - 1) == Oldest(9 * DAY, 8 * DAY, 7 * DAY)


@given(st.integers(0, 4 * 10**12), DAYS, DAYS, DAYS)
def test_nothing_goes_before_its_age_or_stays_a_day_longer(now_ms: int, raw: int, base: int, hour: int) -> None:
    for days, oldest_ms in zip((raw, base, hour), Retention(raw, base, hour).oldest(now_ms), strict=True):
        assert days * DAY <= now_ms - oldest_ms < (days + 1) * DAY
        assert oldest_ms % DAY == 0


@given(DAYS, DAYS, DAYS)
def test_an_ordered_retention_drops_no_window_above_the_raw_floor(raw: int, base: int, hour: int) -> None:
    kept = Retention(raw, base, hour)
    oldest = kept.oldest(10**14)
    assert kept.is_ordered() == (oldest.hourly_ms <= oldest.base_ms <= oldest.raw_ms)
