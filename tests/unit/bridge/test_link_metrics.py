"""A link counts what came, what Kafka has and what the broker need not keep, each when it is so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.stomp_broker import StompBroker
from tests.support.waiting import eventually
from tests.unit.bridge.test_link import START, MemoryKafka, Running


@pytest.fixture
def broker() -> Iterator[StompBroker]:
    with StompBroker() as broker:
        yield broker


def told(running: Running) -> dict[str, float]:
    families = text_string_to_metric_families(running.telemetry.text().decode())
    return {
        sample.name.removeprefix("transferscope_bridge_"): sample.value
        for family in families
        for sample in family.samples
        if not sample.labels
    }


def test_a_message_is_published_and_acknowledged_only_when_kafka_has_it(broker: StompBroker) -> None:
    kafka = MemoryKafka()
    kafka.is_there = False
    running = Running(broker, kafka)
    running.await_connected()
    broker.put(START, b"12345", b"678")
    eventually(lambda: told(running)["received_messages_total"] == 2)
    waiting = told(running)
    assert waiting["received_bytes_total"] == 8
    assert waiting["published_messages_total"] == waiting["acknowledged_messages_total"] == 0
    kafka.come_back()
    kafka.confirm(*range(len(kafka.shipped)))
    eventually(lambda: told(running)["acknowledged_messages_total"] == 2)
    running.end()
    found = told(running)
    assert found["published_messages_total"] == 2
    assert (found["batch_messages_sum"], found["publish_seconds_count"]) == (2, found["batch_messages_count"])
    assert (found["connects_total"], found["connection_failures_total"]) == (1, 0)
    assert found["last_received_timestamp_seconds"] > 1.7e9


def test_connections_that_fail_are_counted(broker: StompBroker) -> None:
    running = Running(broker, MemoryKafka())
    running.await_connected()
    broker.hang_up()
    running.await_connected(times=2)
    running.end()
    found = told(running)
    assert (found["connects_total"], found["connection_failures_total"]) == (2, 1)
