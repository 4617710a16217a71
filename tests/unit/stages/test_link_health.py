"""When a link is far below its own week, and when it is well again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.alert_rules import Verdict
from pipeline.stages.link_health import (
    FAR_BELOW,
    LEAST_IN_HOUR,
    LEAST_IN_WEEK,
    WELL_AGAIN,
    Seen,
    judge,
    subject,
    upper_bound,
)


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (Seen(5, 25, 900, 100, 30), Verdict.RAISE),
        (Seen(0, 20, 95, 5, 20), Verdict.RAISE),
        # Too few in the hour, too few in the week, not far enough.
        (Seen(0, 19, 900, 100, 19), Verdict.KEEP),
        (Seen(0, 20, 95, 4, 20), Verdict.KEEP),
        (Seen(50, 50, 900, 100, 100), Verdict.KEEP),
        # A link that is bad all week is no news.
        (Seen(5, 25, 200, 800, 30), Verdict.CLEAR),
        (Seen(2, 28, 100, 900, 30), Verdict.KEEP),
        # Half of a week at 10 % is within what chance does to 20 transfers.
        (Seen(0, 20, 100, 900, 20), Verdict.KEEP),
        (Seen(72, 28, 900, 100, 100), Verdict.CLEAR),
        (Seen(71, 29, 900, 100, 100), Verdict.KEEP),
        (Seen(0, 0, 900, 100, 5), Verdict.KEEP),
        (Seen(0, 0, 900, 100, 0), Verdict.CLEAR),
        (Seen(0, 30, 0, 0, 30), Verdict.KEEP),
        (Seen(0, 30, 0, 200, 30), Verdict.CLEAR),
    ],
)
def test_what_follows_from_counts(seen: Seen, verdict: Verdict) -> None:
    assert judge(seen) is verdict


counts = st.integers(0, 5000)


@given(counts, counts, counts, counts)
def test_only_a_link_that_is_far_below_a_week_that_is_known_is_raised(ok: int, bad: int, week: int, lost: int) -> None:
    if judge(Seen(ok, bad, week, lost, ok + bad)) is Verdict.RAISE:
        assert ok + bad >= LEAST_IN_HOUR
        assert week + lost >= LEAST_IN_WEEK
        assert 2 * ok * (week + lost) < week * (ok + bad)


@given(counts, counts, counts, counts, st.integers(1, 50))
def test_more_failures_never_clear_what_fewer_raised(ok: int, bad: int, week: int, lost: int, more: int) -> None:
    if judge(Seen(ok, bad, week, lost, ok + bad)) is Verdict.RAISE:
        assert judge(Seen(ok, bad + more, week, lost, ok + bad + more)) is Verdict.RAISE


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_the_upper_bound_lies_between_what_was_seen_and_one(ok: int, failed: int) -> None:
    if ok + failed:
        assert ok / (ok + failed) - 1e-12 <= upper_bound(ok, ok + failed) <= 1 + 1e-12


def test_the_upper_bound_is_wilsons() -> None:
    # 0 of 10, two-sided 99 %: z² / (n + z²) with z = 2.576.
    assert upper_bound(0, 10) == pytest.approx(6.635776 / 16.635776)


def test_levels_keep_an_alert_from_coming_and_going() -> None:
    assert FAR_BELOW < WELL_AGAIN


def test_a_link_is_called_by_its_sites_or_hosts() -> None:
    assert subject("atlas", "CERN-PROD", "a.cern.ch", "unknown", "b.org") == "atlas CERN-PROD → b.org"
