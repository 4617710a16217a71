"""What is told, when, and in which words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.alert_notices import MOST_LISTED, News, Notice, Policy, body, headline, may_tell, news
from pipeline.stages.alert_rules import RULES, Limits

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY = Policy(repeat_s=3600, prompt=3)


def notice(number: int, told_s: float | None = None, rule: str = "backlog", cleared: bool = False) -> Notice:
    """``told_s`` seconds before noon somebody was told."""
    told_at = None if told_s is None else NOON - timedelta(seconds=told_s)
    ended = NOON if cleared else None
    return Notice(number, rule, f"queue q{number} on b", NOON, ended, 6000, 5000, "6000 messages wait", told_at)


def test_what_is_new_is_told_and_what_lasts_only_after_a_while() -> None:
    assert news([], [], POLICY, NOON) is None
    assert news([notice(1, 3599)], [], POLICY, NOON) is None
    new, old, nearly = notice(1), notice(2, 3600), notice(3, 3300)
    assert news([new, notice(2, 10)], [], POLICY, NOON) == News((new,), (), ())
    assert news([old, nearly, notice(4, 100)], [], POLICY, NOON) == News((), (old, nearly), ()), "gathered"
    assert news([], [notice(5, 9, cleared=True)], POLICY, NOON) == News((), (), (notice(5, 9, cleared=True),))


@pytest.mark.parametrize(
    ("ages_s", "may"),
    [
        ((), True),
        ((1, 2), True),
        ((1, 2, 3), False),
        ((299, 400, 500), False),
        ((300, 400, 500), True),
        ((1, 2, 601), True),
    ],
)
def test_three_messages_go_out_at_once_and_then_one_in_five_minutes(ages_s: tuple[int, ...], may: bool) -> None:
    assert may_tell([NOON - timedelta(seconds=age) for age in ages_s], POLICY, NOON) is may


@given(st.lists(st.integers(0, 3600), max_size=300))
def test_a_storm_of_an_hour_is_a_dozen_messages_and_none_is_late(offsets_s: list[int]) -> None:
    """Alerts at any times of an hour, looked at every three seconds."""
    due, sent = sorted(offsets_s), list[int]()
    for second in range(0, 3 * 3600, 3):
        moments = [NOON + timedelta(seconds=at) for at in sent]
        if due and due[0] <= second and may_tell(moments, POLICY, NOON + timedelta(seconds=second)):
            assert second - due[0] <= POLICY.pause_s + 3
            sent.append(second)
            due = [each for each in due if each > second]
        if not due:
            break
    assert not due
    assert len(sent) <= 3 * 7 + 12


def test_a_storm_is_one_line_and_a_list_that_ends() -> None:
    storm = News(tuple(notice(n) for n in range(198)) + (notice(198, rule="expired"),) * 2, (), ())
    assert headline(storm) == "alert: 198 backlog, 2 expired"
    text = body(storm, "https://x/alerts")
    assert text.count("6000 messages wait") == MOST_LISTED
    assert f"and {200 - MOST_LISTED} more" in text
    assert text.endswith("All of them: https://x/alerts")


def test_one_alert_is_named_with_all_that_is_known() -> None:
    both = News((notice(1),), (), (notice(2, 60, cleared=True),))
    assert headline(both) == "alert: backlog, queue q1 on b; resolved: backlog, queue q2 on b"
    assert "[critical] backlog: queue q1 on b" in body(both)
    assert "raised 2026-11-22 12:00:00 UTC, cleared 2026-11-22 12:00:00 UTC" in body(both)


def test_hostile_names_stay_on_their_line() -> None:
    hostile = notice(1)._replace(subject="a\r\nBcc: x@y\x1b[2J\u202eb", detail="c\nd")
    told = News((hostile,), (), ())
    for text in (headline(told), body(told)):
        assert "\r" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "\n" not in headline(told)
    assert body(told).count("\n") == body(News((notice(1),), (), ())).count("\n")


def test_every_rule_says_its_limits_in_words() -> None:
    usual = {rule.name: rule.sentence(Limits()) for rule in RULES}
    assert "More than 5000 messages" in usual["backlog"]
    assert "older than 1 h" in usual["oldest-message"]
    strict = Limits(7, (("q*", 3),), 90, 120, (("s", 0),), 86_400, 5)
    told = " ".join(rule.sentence(strict) for rule in RULES)
    for word in (
        "More than 7 messages",
        "q*: 3 messages",
        "older than 90 s",
        "for 2 min",
        "s: 0 s",
        "for 1 d",
        "More than 5",
    ):
        assert word in told
