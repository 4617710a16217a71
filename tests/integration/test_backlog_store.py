"""Samples are kept with their rates, raise one alert each and clear it; what the store heard is judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.stages.alert_rules import Limits
from pipeline.stages.backlog import Sample
from pipeline.store.alerts import Changes
from pipeline.store.backlog import record
from tests.support.database import Database

pytestmark = pytest.mark.stack

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SUBJECT = "queue Consumer.t.a on mq1:8161"
NOTHING: tuple[list[str], list[str]] = ([], [])
LIMITS = Limits(silent_s=3600, sources=(("quiet*", 0),), topology_s=7200, dead_letters=2)


def queue(depth: int | None, **more: Any) -> Sample:
    usual = {"consumers": 1, "expired": 0, "dead": 0, "enqueued": 0, "dequeued": 0}
    return Sample("queue", "mq1:8161", "Consumer.t.a", depth, **(usual | more))


def told(changes: Changes) -> tuple[list[str], list[str]]:
    raised, cleared = ([f"{each.rule}: {each.subject}" for each in part] for part in changes)
    return raised, cleared


def look(
    url: str, at: datetime, *samples: Sample, brokers: frozenset[str] = frozenset()
) -> tuple[list[str], list[str]]:
    return told(record(url, samples, at, LIMITS, brokers))


def test_a_backlog_is_raised_once_after_two_samples_and_cleared_below_four_fifths(
    database_url: str, database: Database
) -> None:
    changes = [
        look(database_url, NOON + timedelta(seconds=30 * n), queue(depth), Sample("group", "k:9092", "g", 9))
        for n, depth in enumerate((6000, 6000, 7000, 4500, 3999, 10))
    ]
    about = f"backlog: {SUBJECT}"
    assert changes == [NOTHING, ([about], []), NOTHING, NOTHING, ([], [about]), NOTHING]
    (alert,) = database.ask("SELECT rule, subject, value, threshold, raised_at, cleared_at FROM report.alert")
    assert alert[:4] == ("backlog", SUBJECT, 6000, 5000)
    assert alert[4:] == (NOON + timedelta(seconds=30), NOON + timedelta(seconds=120))
    kept = database.ask("SELECT depth FROM report.backlog WHERE kind = 'queue' ORDER BY sampled_at")
    assert [depth for (depth,) in kept] == [6000, 6000, 7000, 4500, 3999, 10]
    assert database.value("SELECT count(*) FROM report.backlog WHERE name = 'g' AND depth = 9") == 6
    assert database.value("SELECT beat_at FROM report.heartbeat") == NOON + timedelta(seconds=150)


def test_samples_of_another_life_are_no_row(database_url: str) -> None:
    assert look(database_url, NOON, queue(6000)) == NOTHING
    assert look(database_url, NOON + timedelta(seconds=91), queue(6000)) == NOTHING
    assert look(database_url, NOON + timedelta(seconds=121), queue(6000)) == ([f"backlog: {SUBJECT}"], [])


def test_rates_are_kept_beside_counts(database_url: str, database: Database) -> None:
    look(database_url, NOON, queue(1, enqueued=100, dequeued=90))
    look(database_url, NOON + timedelta(seconds=20), queue(1, enqueued=300, dequeued=290))
    look(database_url, NOON + timedelta(seconds=40), queue(1, enqueued=5, dequeued=290))
    kept = database.ask("SELECT enqueued, enqueue_rate, dequeue_rate FROM report.backlog ORDER BY sampled_at")
    assert kept == [(100, None, None), (300, 10.0, 10.0), (5, None, 0.0)]


def test_lost_messages_are_raised_at_once_and_cleared_after_half_an_hour_of_rest(database_url: str) -> None:
    about = [f"expired: {SUBJECT}", "broker-dead-letters: broker mq1:8161"]
    assert look(database_url, NOON, queue(1, expired=4, dead=1)) == NOTHING
    assert look(database_url, NOON + timedelta(seconds=30), queue(1, expired=6, dead=3)) == (about, [])
    for n in range(2, 56):
        assert look(database_url, NOON + timedelta(seconds=30 * n), queue(1, expired=6, dead=3)) == NOTHING, n
    rest = [look(database_url, NOON + timedelta(seconds=30 * n), queue(1, expired=6, dead=3)) for n in range(56, 70)]
    assert [each for each in rest if each != NOTHING] == [([], about)]


def test_an_orphan_is_named_and_forgotten_when_it_is_gone(database_url: str) -> None:
    def orphan(depth: int) -> Sample:
        return queue(depth, consumers=0)._replace(name="Consumer.left.a", ours=False)

    about = "orphan-queue: queue Consumer.left.a on mq1:8161"
    changes = [look(database_url, NOON + timedelta(seconds=30 * n), orphan(10_000 + n)) for n in range(22)]
    assert [each for each in changes if each != NOTHING] == [([about], [])], "and its depth raises nothing"
    later = NOON + timedelta(seconds=30 * 22)
    assert look(database_url, later) == NOTHING, "its broker did not answer"
    assert look(database_url, later, brokers=frozenset({"mq1:8161"})) == ([], [about])


def test_a_group_of_somebody_else_is_named_and_forgotten_when_it_is_deleted(database_url: str) -> None:
    def agent(depth: int, members: int) -> Sample:
        return Sample("group", "k:9092", "agent", depth, consumers=members, ours=False)

    kafka = frozenset({"k:9092"})
    behind, left = "backlog: group agent on k:9092", "orphan-queue: group agent on k:9092"
    changes = [look(database_url, NOON + timedelta(seconds=30 * n), agent(6000 + n, 1)) for n in range(2)]
    assert changes == [NOTHING, ([behind], [])]
    changes = [look(database_url, NOON + timedelta(seconds=30 * n), agent(6000 + n, 0)) for n in range(2, 24)]
    assert [each for each in changes if each != NOTHING] == [([left], [])]
    raised, cleared = look(database_url, NOON + timedelta(minutes=13), brokers=kafka)
    assert (raised, sorted(cleared)) == ([], [behind, left])


def test_a_silent_source_an_old_topology_and_many_dead_letters(database_url: str, database: Database) -> None:
    def insert(table: str, columns: str, *values: object) -> None:
        database.ask(f"INSERT INTO store.{table} ({columns}) VALUES ({', '.join(['%s'] * len(values))})", values)

    for source in ("fts.x.org", "quiet.x.org"):
        insert("freshness", "source, last_committed_at", source, NOON)
    insert("topology", "source, sha256, document, confirmed_at", "f", "0", "{}", NOON)
    for number in range(3):
        values = (str(number), "k", "t", "not_json", "", "{}", b"", "", NOON)
        insert("dead_letter", "identity, kind, topic, reason, detail, headers, body, ref, died_at", *values)
    dead, silent, old = (
        "dead-letters: dead letters not_json",
        "silent-source: source fts.x.org",
        "topology-age: topology in use",
    )
    assert look(database_url, NOON + timedelta(minutes=1)) == ([dead], [])
    assert look(database_url, NOON + timedelta(minutes=61)) == ([silent], [dead])
    assert look(database_url, NOON + timedelta(minutes=121)) == ([old], [])
    database.ask("UPDATE store.freshness SET last_committed_at = %s", [NOON + timedelta(hours=2)])
    database.ask("UPDATE store.topology SET confirmed_at = %s", [NOON + timedelta(hours=2)])
    assert look(database_url, NOON + timedelta(minutes=122)) == ([], [silent, old])


def test_five_hundred_queues_are_judged_with_a_handful_of_statements(database_url: str) -> None:
    """What is quiet costs no statement of its own: two hundred that cross at once are raised in one look."""
    queues = [queue(6000 if n < 200 else 10)._replace(name=f"Consumer.t.q{n:03}") for n in range(500)]
    assert look(database_url, NOON, *queues) == NOTHING
    raised, cleared = look(database_url, NOON + timedelta(seconds=20), *queues)
    assert (len(raised), cleared) == (200, [])
