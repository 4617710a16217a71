"""Samples of what waits are kept, raise one alert and clear it; a service that is silent has none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from consumers.alerts.backlog import Backlog
from consumers.errors import Unreachable
from consumers.kafka.access import KafkaAway
from pipeline.store.backlog import Changes, Sample, record
from tests.support.database import Database

pytestmark = pytest.mark.stack

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SUBJECT = "queue Consumer.t.a on mq1:8161"
NOTHING = Changes([], [])


def full(depth: int | None) -> Sample:
    return Sample("queue", "mq1:8161", "Consumer.t.a", depth, consumers=1, expired=0)


def test_a_backlog_is_raised_once_after_two_samples_and_cleared_below_four_fifths(
    database_url: str, database: Database
) -> None:
    told = [
        record(database_url, [full(depth), Sample("group", "k:9092", "g", 9)], NOON + timedelta(seconds=30 * n), 5000)
        for n, depth in enumerate((6000, 6000, 7000, 4500, 3999, 10))
    ]
    assert told == [NOTHING, Changes([SUBJECT], []), NOTHING, NOTHING, Changes([], [SUBJECT]), NOTHING]
    (alert,) = database.ask("SELECT rule, subject, value, threshold, raised_at, cleared_at FROM report.alert")
    assert alert[:4] == ("backlog", SUBJECT, 6000, 5000)
    assert alert[4:] == (NOON + timedelta(seconds=30), NOON + timedelta(seconds=120))
    kept = database.ask("SELECT depth FROM report.backlog WHERE kind = 'queue' ORDER BY sampled_at")
    assert [depth for (depth,) in kept] == [6000, 6000, 7000, 4500, 3999, 10]
    assert database.value("SELECT count(*) FROM report.backlog WHERE name = 'g' AND depth = 9") == 6


def test_samples_of_another_life_are_no_row(database_url: str) -> None:
    assert record(database_url, [full(6000)], NOON, 5000) == NOTHING
    assert record(database_url, [full(6000)], NOON + timedelta(seconds=91), 5000) == NOTHING
    assert record(database_url, [full(6000)], NOON + timedelta(seconds=121), 5000) == Changes([SUBJECT], [])


def test_what_cannot_be_asked_is_left_out_and_the_rest_is_kept(database_url: str, database: Database) -> None:
    asked: list[str] = []

    def away() -> Iterable[Sample]:
        asked.append("away")
        raise Unreachable("Jolokia", "mq1:8161", "no route")

    def kafka() -> Iterable[Sample]:
        asked.append("kafka")
        if len(asked) > 2:
            raise KafkaAway("k:9092", "gone")
        return [Sample("group", "k:9092", "g", 12)]

    backlog = Backlog(database_url, [away, kafka], 5000, lambda _: None)
    assert backlog.look() == NOTHING
    assert backlog.look() == NOTHING
    assert asked == ["away", "kafka"] * 2
    assert database.ask("SELECT kind, broker, name, depth, consumers FROM report.backlog") == [
        ("group", "k:9092", "g", 12, None)
    ]
