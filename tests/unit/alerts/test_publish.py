"""Samples for Kafka wait while it is away or slow, are published in order, and are not kept for ever."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from consumers.alerts import publish
from consumers.alerts.publish import KEPT_LOOKS, Depths
from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.kafka.producer import Record
from pipeline.stages.backlog import Sample

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Kafka:
    """``published`` are the depths that it has taken, in order."""

    def __init__(self) -> None:
        self.is_away = False
        self.published: list[int] = []

    def feed(self, access: KafkaAccess, records: Iterable[Record]) -> int:
        if self.is_away:
            raise KafkaAway(access.address, "gone")
        self.published += [json.loads(record.value)["depth"] for record in records]
        return len(self.published)


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    kafka = Kafka()
    monkeypatch.setattr(publish, "feed", kafka.feed)
    return kafka


def test_what_kafka_did_not_take_is_published_when_it_is_back(kafka: Kafka, caplog: pytest.LogCaptureFixture) -> None:
    depths = Depths(KafkaAccess(("k:9092",)))
    for look in range(4):
        kafka.is_away = look in (1, 2)
        depths.add([Sample("queue", "b", "q", look)], NOON + timedelta(seconds=20 * look))
        depths.publish()
    assert kafka.published == [0, 1, 2, 3]
    assert len(caplog.records) == 1, "said once"


def test_of_a_long_outage_the_newest_looks_are_kept(kafka: Kafka) -> None:
    depths = Depths(KafkaAccess(("k:9092",)))
    for look in range(KEPT_LOOKS + 5):
        depths.add([Sample("queue", "b", "q", look)], NOON + timedelta(seconds=20 * look))
    depths.publish()
    depths.publish()
    assert kafka.published == list(range(5, KEPT_LOOKS + 5))
