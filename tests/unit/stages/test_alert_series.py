"""Half an hour around a limit: exactly those alerts that the rule gives, told by a second writing of the rule."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.alert_rules import Limits, Verdict
from pipeline.stages.backlog import Past, Sample, judge_waiting
from tests.support.literal_backlog import alerts_by_the_rule

LIMIT = 5000
RECORDED = Path(__file__).parents[2] / "data" / "backlog" / "constructed_jitter.json"


def alerts_of(depths: list[int | None]) -> list[tuple[str, int]]:
    """What the product makes of a series, oldest first: what happened at which sample."""
    found: list[tuple[str, int]] = []
    is_open = False
    for number in range(len(depths)):
        last = [
            Past(20.0 * age, Sample("queue", "b", "q", depths[number - age], consumers=1))
            for age in range(min(number, 3) + 1)
        ]
        verdict = next(iter(judge_waiting(last, Limits(backlog=LIMIT)))).verdict
        if verdict is Verdict.RAISE and not is_open:
            found.append(("raised", number))
            is_open = True
        elif verdict is Verdict.CLEAR and is_open:
            found.append(("cleared", number))
            is_open = False
    return found


def test_a_jittering_half_hour_gives_exactly_the_alerts_of_the_rule() -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    depths = recorded["depths"]
    assert len(depths) == 90, "half an hour, every 20 s"
    crossings = sum(1 for a, b in pairwise(depths) if a is not None and b and a <= LIMIT < b)
    assert crossings > 15, "it jitters around the limit"
    assert (
        alerts_of(depths)
        == [tuple(each) for each in recorded["alerts"]]
        == alerts_by_the_rule(enumerate(depths), LIMIT)
    )


@given(st.lists(st.none() | st.sampled_from([0, 3999, 4000, 4001, 4999, 5000, 5001, 9000]), max_size=90))
def test_any_series_gives_exactly_the_alerts_of_the_rule(depths: list[int | None]) -> None:
    assert alerts_of(depths) == alerts_by_the_rule(enumerate(depths), LIMIT)


@given(st.lists(st.integers(3500, 6000), max_size=90))
def test_a_crossing_raises_once_at_most(depths: list[int]) -> None:
    """Between two alerts it must have been well again."""
    events = alerts_of(list(depths))
    assert [word for word, _ in events] == ["raised", "cleared"] * (len(events) // 2) + ["raised"] * (len(events) % 2)
