"""What samples of a queue or group tell: too much, too old, unread, lost; and what they tell too little of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.alert_rules import (
    BACKLOG,
    BROKER_DEAD,
    EXPIRED,
    NO_CONSUMER,
    OLDEST,
    ORPHAN,
    Limits,
    Verdict,
    above,
)
from pipeline.stages.backlog import (
    KNOWN_FOR_S,
    Past,
    Sample,
    gone,
    judge,
    judge_dead,
    judge_expired,
    judge_orphan,
    judge_waiting,
    rates,
    speakers,
    subject,
)

LIMIT = 5000
EVERY_S = 20.0


def past(*samples: dict[str, Any], every_s: float = EVERY_S) -> list[Past]:
    """Samples, newest first, as far apart as they usually are."""
    usual = {"depth": 10, "consumers": 1}
    return [
        Past(number * every_s, Sample("queue", "mq1:8161", "Consumer.t.a", **(usual | each)))
        for number, each in enumerate(samples)
    ]


def verdicts(*samples: dict[str, Any], limits: Limits | None = None) -> dict[str, Verdict]:
    return {each.finding.rule: each.verdict for each in judge_waiting(past(*samples), limits or Limits())}


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
def test_what_is_above_a_limit_twice_is_raised_and_what_is_well_below_is_cleared(
    newest_first: list[int | None], verdict: Verdict
) -> None:
    assert above(newest_first, LIMIT) is verdict
    if newest_first:
        assert verdicts(*({"depth": depth} for depth in newest_first))[BACKLOG] is verdict


@given(st.lists(st.none() | st.integers(0, 10_000), max_size=4), st.integers(1, 10_000))
def test_one_verdict_is_never_the_other(depths: list[int | None], limit: int) -> None:
    verdict = above(depths, limit)
    if verdict is Verdict.RAISE:
        assert all(depth is not None and depth > limit for depth in depths[:2])
    if verdict is Verdict.CLEAR:
        assert depths[0] is not None
        assert depths[0] * 5 < limit * 4


def test_a_queue_may_have_a_limit_of_its_own() -> None:
    limits = Limits(queues=(("Consumer.t.*", 100), ("*", 1)))
    assert verdicts({"depth": 101}, {"depth": 101}, limits=limits)[BACKLOG] is Verdict.RAISE
    assert verdicts({"depth": 100}, {"depth": 101}, limits=limits)[BACKLOG] is Verdict.KEEP
    assert verdicts({"depth": 101}, {"depth": 101})[BACKLOG] is Verdict.CLEAR


@pytest.mark.parametrize(
    ("samples", "verdict"),
    [
        (({"oldest_s": 3601}, {"oldest_s": 3581}), Verdict.KEEP),
        (({"oldest_s": 3621}, {"oldest_s": 3601}), Verdict.RAISE),
        (({"oldest_s": None}, {"oldest_s": 3601}), Verdict.KEEP),
        (({"oldest_s": 100}, {"oldest_s": 3601}), Verdict.CLEAR),
        (({"oldest_s": None, "depth": 0}, {"oldest_s": 3601}), Verdict.CLEAR),
        (({"oldest_s": None, "depth": None}, {"oldest_s": 3601}), Verdict.KEEP),
    ],
)
def test_the_oldest_message_may_wait_for_an_hour(samples: tuple[dict[str, Any], ...], verdict: Verdict) -> None:
    assert verdicts(*samples)[OLDEST] is verdict


@pytest.mark.parametrize(
    ("samples", "verdict"),
    [
        (({"consumers": 0}, {"consumers": 0}), Verdict.RAISE),
        (({"consumers": 0},), Verdict.KEEP),
        (({"consumers": 0}, {"consumers": 1}), Verdict.KEEP),
        (({"consumers": 0, "depth": 0}, {"consumers": 0}), Verdict.CLEAR),
        (({"consumers": 2}, {"consumers": 0}), Verdict.CLEAR),
        (({"consumers": None, "depth": None}, {"consumers": 0}), Verdict.KEEP),
    ],
)
def test_what_holds_messages_has_a_consumer(samples: tuple[dict[str, Any], ...], verdict: Verdict) -> None:
    assert verdicts(*samples)[NO_CONSUMER] is verdict


def test_an_orphan_has_had_no_consumer_for_ten_minutes_and_has_grown() -> None:
    grown = [{"consumers": 0, "depth": 1000 - 10 * n} for n in range(31)]
    finding = judge_orphan(past(*grown)).finding
    assert judge_orphan(past(*grown)).verdict is Verdict.RAISE
    assert (finding.subject, finding.value) == ("queue Consumer.t.a on mq1:8161", 1000)
    assert judge_orphan(past(*grown[:20])).verdict is Verdict.KEEP, "not for long enough"
    assert judge_orphan(past(*grown[:5], {"consumers": 1}, *grown[6:])).verdict is Verdict.KEEP, "somebody read it"
    still = [{"consumers": 0, "depth": 7}] * 31
    assert judge_orphan(past(*still)).verdict is Verdict.KEEP, "it does not grow"
    assert judge_orphan(past({"consumers": 1}, *grown)).verdict is Verdict.CLEAR
    assert judge_orphan(past({"consumers": 0, "depth": 0}, *grown)).verdict is Verdict.CLEAR


@pytest.mark.parametrize("count", ["expired", "dead"])
def test_a_count_that_rises_is_raised_and_cleared_after_half_an_hour_of_rest(count: str) -> None:
    judge = judge_expired if count == "expired" else judge_dead
    risen = judge(past({count: 7}, {count: 5}))
    assert (risen.verdict, risen.finding.value) == (Verdict.RAISE, 2)
    assert judge(past({count: 7}, {count: None}, {count: 5})).verdict is Verdict.RAISE
    for unknown in (past({count: 7}), past({count: None}, {count: 5})):
        assert judge(unknown).verdict is Verdict.KEEP
    assert judge(past({count: 0}, {count: 5})).verdict is Verdict.KEEP, "the broker began anew"
    rest = [{count: 7}] * 90
    assert judge(past(*rest)).verdict is Verdict.CLEAR
    assert judge(past(*rest[:70])).verdict is Verdict.KEEP
    assert judge(past(*rest, {count: 6})).verdict is Verdict.KEEP


@given(st.lists(st.integers(0, 3), min_size=2, max_size=200))
def test_what_never_rises_is_never_raised(steps: list[int]) -> None:
    counts = [sum(steps[: number + 1]) for number in range(len(steps))]
    for end in range(2, len(counts) + 1):
        verdict = judge_expired(past(*({"expired": count} for count in reversed(counts[:end])))).verdict
        assert (verdict is Verdict.RAISE) == (counts[end - 1] > counts[end - 2])


def test_rates_are_those_between_two_samples_and_unknown_over_a_new_beginning() -> None:
    now = Sample("queue", "b", "q", 0, enqueued=500, dequeued=100)
    before = Past(20.0, now._replace(enqueued=100, dequeued=100))
    assert rates(now, before) == (20.0, 0.0)
    assert rates(now, None) == (None, None)
    assert rates(now, Past(20.0, now._replace(enqueued=501, dequeued=None))) == (None, None)


def test_a_subject_names_broker_and_queue() -> None:
    assert subject("queue", "mq1:8161", "Consumer.t.a") == "queue Consumer.t.a on mq1:8161"


def said(*samples: dict[str, Any]) -> dict[str, Verdict]:
    """What is said of a group of somebody else by these samples, newest first."""
    usual: dict[str, Any] = {"depth": 10, "consumers": 1}
    past = [
        Past(number * EVERY_S, Sample("group", "k:9092", "agent", ours=False, **(usual | each)))
        for number, each in enumerate(samples)
    ]
    return {each.finding.rule: each.verdict for each in judge(past, Limits())}


def test_somebody_elses_group_is_told_when_it_is_behind_and_when_it_is_left_behind() -> None:
    behind = {"depth": 5001}
    assert said(behind, behind) == {BACKLOG: Verdict.RAISE, ORPHAN: Verdict.CLEAR}
    unknown = {"depth": 5001, "consumers": None}
    assert said(unknown, unknown) == {BACKLOG: Verdict.RAISE, ORPHAN: Verdict.KEEP}
    assert said({"depth": 10}, behind)[BACKLOG] is Verdict.CLEAR
    left = [{"depth": 9000 - n, "consumers": 0} for n in range(31)]
    assert said(*left[:2]) == {BACKLOG: Verdict.KEEP, ORPHAN: Verdict.KEEP}, "nobody is in it: that wakes nobody"
    assert said(*left) == {BACKLOG: Verdict.KEEP, ORPHAN: Verdict.RAISE}
    assert said({"depth": 0, "consumers": 0}, *left) == {BACKLOG: Verdict.CLEAR, ORPHAN: Verdict.CLEAR}


def test_what_was_sampled_in_another_life_raises_nothing() -> None:
    old = past({"depth": 9000, "oldest_s": 9000, "consumers": 0, "expired": 9}, {"depth": 9000}, every_s=KNOWN_FOR_S)
    older = old[1]._replace(sample=old[0].sample._replace(expired=5))
    verdicts = {each.finding.rule: each.verdict for each in judge([old[0], older], Limits())}
    assert set(verdicts) == {BACKLOG, OLDEST, NO_CONSUMER, EXPIRED}
    assert set(verdicts.values()) == {Verdict.KEEP}


def test_one_queue_of_a_broker_speaks_for_its_dead_letters() -> None:
    def queue(broker: str, name: str, dead: int | None) -> Sample:
        return Sample("queue", broker, name, 1, dead=dead)

    samples = [queue("a", "y", 1), queue("a", "x", 1), queue("b", "x", None), Sample("group", "k", "g", 1)]
    assert speakers(samples) == {("queue", "a", "x")}


def test_an_orphan_or_group_that_is_not_told_of_any_more_is_gone() -> None:
    is_open = [
        (ORPHAN, "queue o on a:1"),
        (ORPHAN, "queue o on b:1"),
        (BACKLOG, "group g on k:1"),
        (BACKLOG, "group still on k:1"),
        (BACKLOG, "queue q on a:1"),
        (BROKER_DEAD, "broker a:1"),
    ]
    cleared = gone([Sample("group", "k:1", "still", 1)], {"a:1", "k:1"}, is_open)
    assert [(each.verdict, each.finding.rule, each.finding.subject) for each in cleared] == [
        (Verdict.CLEAR, ORPHAN, "queue o on a:1"),
        (Verdict.CLEAR, BACKLOG, "group g on k:1"),
    ]
