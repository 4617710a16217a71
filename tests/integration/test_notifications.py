"""What was told to whom outlives the process; what could not be told is tried again, and a storm is one message."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from consumers.alerts.notify import Channel, NotSent
from pipeline.stages.alert_notices import News, Policy
from pipeline.stages.alert_rules import Finding, Judged, Verdict
from pipeline.store import alerts, silences
from pipeline.store.audit import Actor
from pipeline.store.session import Unavailable, connect
from tests.support.database import Database

pytestmark = pytest.mark.stack

ME = Actor("me", "os", "here")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Told:
    """A sender that keeps what it is given. ``why``: it fails with that."""

    def __init__(self, name: str = "mail", policy: Policy | None = None) -> None:
        self.name = name
        self.policy = policy or Policy(repeat_s=3600, prompt=3)
        self.why: str | None = None
        self.tried = 0
        self.messages: list[tuple[int, int, int]] = []
        """How many alerts were raised, lasting and cleared, message by message."""

    def send(self, news: News, at: datetime) -> None:
        self.tried += 1
        if self.why is not None:
            raise NotSent(self.why)
        self.messages.append((len(news.raised), len(news.lasting), len(news.cleared)))


def judge(url: str, verdict: Verdict, *subjects: str, rule: str = "backlog") -> None:
    judged = [Judged(verdict, Finding(rule, subject, 6000, 5000, "6000 wait")) for subject in subjects]
    with closing(connect(url)) as connection, connection, connection.cursor() as cursor:
        alerts.apply(cursor, judged, datetime.now(UTC))


STORM = [f"queue q{number} on b" for number in range(200)]


def test_a_storm_is_one_message_and_its_end_another(database_url: str) -> None:
    sender = Told()
    channel = Channel(database_url, sender)
    assert not channel.look()
    judge(database_url, Verdict.RAISE, *STORM)
    assert [channel.look() for _ in range(3)] == [True, False, False]
    judge(database_url, Verdict.CLEAR, *STORM)
    assert [channel.look() for _ in range(3)] == [True, False, False]
    assert sender.messages == [(200, 0, 0), (0, 0, 200)]


def test_one_that_trickles_is_gathered(database_url: str, database: Database) -> None:
    sender = Told()
    channel = Channel(database_url, sender)
    for number in range(6):
        judge(database_url, Verdict.RAISE, f"q{number}")
        channel.look()
    assert sender.messages == [(1, 0, 0)] * 3
    database.ask("UPDATE store.notification SET told_at = told_at - interval '301 s'")
    assert channel.look()
    assert sender.messages[3:] == [(3, 0, 0)]


def test_a_restart_repeats_and_forgets_nothing(database_url: str) -> None:
    judge(database_url, Verdict.RAISE, "a", "b")
    first, second = Told(), Told()
    with_turn = Channel(database_url, first)
    assert with_turn.look()
    standby = Channel(database_url, second)
    judge(database_url, Verdict.RAISE, "c")
    assert not standby.look(), "another process has the turn"
    with_turn.close()
    judge(database_url, Verdict.CLEAR, "a")
    assert standby.look()
    assert (first.messages, second.messages) == ([(2, 0, 0)], [(1, 0, 1)])


def test_what_lasts_is_told_again_and_what_nobody_was_told_of_is_not_resolved(
    database_url: str, database: Database
) -> None:
    sender = Told()
    channel = Channel(database_url, sender)
    judge(database_url, Verdict.RAISE, "gone before anybody looked")
    judge(database_url, Verdict.CLEAR, "gone before anybody looked")
    assert not channel.look()
    judge(database_url, Verdict.RAISE, "a", "b")
    assert channel.look()
    database.ask("UPDATE store.notification SET told_at = told_at - interval '1 h'")
    assert channel.look()
    assert not channel.look()
    assert sender.messages == [(2, 0, 0), (0, 2, 0)]


def test_what_cannot_be_sent_is_tried_again_and_no_other_channel_waits(database_url: str) -> None:
    clock, broken, well = Clock(), Told("mail"), Told("alertmanager")
    channel, other = Channel(database_url, broken, clock), Channel(database_url, well, clock)
    broken.why = "no route"
    judge(database_url, Verdict.RAISE, "a")
    tried_at = []
    for second in range(1000):
        clock.now = second
        before = broken.tried
        assert not channel.look()
        if broken.tried > before:
            tried_at.append(second)
    assert tried_at == [0, 5, 15, 35, 75, 155, 315, 615, 915]
    assert channel.why == "no route"
    assert other.look()
    judge(database_url, Verdict.RAISE, "b")
    broken.why = None
    clock.now = 1300
    assert channel.look()
    assert broken.messages == [(2, 0, 0)]
    assert not channel.why


def test_a_silence_keeps_alerts_from_being_told_until_it_ends(database_url: str, database: Database) -> None:
    sender = Told()
    channel = Channel(database_url, sender)
    with closing(connect(database_url)) as connection:
        until = datetime.now(UTC) + timedelta(hours=1)
        number = silences.add(connection, ME, "back*", "queue %_* on b", "upgrade", "me", until).id
        other = silences.add(connection, ME, "expired", "*", "upgrade", "me", until).id
        judge(database_url, Verdict.RAISE, "queue %_1 on b", "queue x on b")
        assert channel.look()
        assert sender.messages == [(1, 0, 0)], "no % or _ stands for anything"
        assert database.ask("SELECT subject FROM report.alert WHERE silenced_until IS NOT NULL") == [
            ("queue %_1 on b",)
        ]
        assert [each.id for each in silences.silences(connection)] == [number, other]
        assert silences.end(connection, ME, number)
        assert not silences.end(connection, ME, number), "it is over"
        assert [each.id for each in silences.silences(connection, over=True)] == [other, number]
    assert channel.look()
    assert sender.messages == [(1, 0, 0), (1, 0, 0)]


def test_the_documents_of_open_alerts_tell_a_silence(database_url: str, database: Database) -> None:
    judge(database_url, Verdict.RAISE, "a", "b")
    database.ask("DELETE FROM store.outbox")
    until = datetime.now(UTC) + timedelta(hours=1)
    with closing(connect(database_url)) as connection:
        number = silences.add(connection, ME, "*", "a", "upgrade", "me", until).id
        silences.end(connection, ME, number)
    ids = database.ask("SELECT id FROM store.alert WHERE subject = 'a'")
    assert database.ask("SELECT topic, keys FROM store.outbox") == [("alerts", list(each)) for each in ids * 2]


def test_a_store_that_is_away_is_said_and_asked_again(database_url: str, database: Database) -> None:
    sender = Told()
    channel = Channel(database_url, sender)
    assert not channel.look()
    judge(database_url, Verdict.RAISE, "a")
    database.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'transferscope alerts' AND datname = current_database()"
    )
    with pytest.raises(Unavailable):
        channel.look()
    assert channel.look()
    assert sender.messages == [(1, 0, 0)]
