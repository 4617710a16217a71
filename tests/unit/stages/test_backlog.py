"""Too much waits when two samples in a row say so, and no longer when one says that most of it is gone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.backlog import judge, subject
from pipeline.stages.link_health import Verdict

LIMIT = 5000


@pytest.mark.parametrize(
    ("newest_first", "verdict"),
    [
        ([], Verdict.KEEP),
        ([None, 9000, 9000], Verdict.KEEP),
        ([9000], Verdict.KEEP),
        ([5001, 5001], Verdict.RAISE),
        ([5001, 5000], Verdict.KEEP),
        ([9000, None], Verdict.KEEP),
        ([9000, 100, 9000], Verdict.KEEP),
        ([4000, 9000], Verdict.KEEP),
        ([3999, 9000], Verdict.CLEAR),
        ([0], Verdict.CLEAR),
    ],
)
def test_verdicts(newest_first: list[int | None], verdict: Verdict) -> None:
    assert judge(newest_first, LIMIT) is verdict


@given(st.lists(st.none() | st.integers(0, 10_000), max_size=4), st.integers(1, 10_000))
def test_what_is_raised_is_above_the_limit_twice_and_what_is_cleared_well_below(
    depths: list[int | None], limit: int
) -> None:
    verdict = judge(depths, limit)
    if verdict is Verdict.RAISE:
        assert all(depth is not None and depth > limit for depth in depths[:2])
    if verdict is Verdict.CLEAR:
        assert depths[0] is not None
        assert depths[0] * 5 < limit * 4


def test_a_subject_names_broker_and_queue() -> None:
    assert subject("queue", "mq1:8161", "Consumer.t.a") == "queue Consumer.t.a on mq1:8161"
