"""Services go away while messages are under way: once bridge and worker wait for them, once they are told to end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.devstack.plan import ACTIVEMQ, KAFKA, POSTGRES
from pipeline.devstack.stack import Stack
from tests.support.commands import Commands, Running
from tests.support.kafka_watch import KafkaWatch
from tests.support.publishing import Publisher
from tests.support.recounted import assert_recounted, rough_traffic

pytestmark = pytest.mark.stack

HALF = 2000
RATE = 1000
SEEDS = {KAFKA: 31, POSTGRES: 32, ACTIVEMQ: 33}


@contextmanager
def outage(stack: Stack, service: str, how: str) -> Iterator[None]:
    """The service is away as long as the context lasts."""
    stack.stop(service) if how == "stop" else stack.kill(service)
    try:
        yield
    finally:
        stack.start(service)


def started(transferscope: Commands) -> tuple[Running, Running]:
    """Bridge and worker, both at work."""
    bridge, worker = transferscope.start("bridge"), transferscope.start("worker")
    worker.health()  # a worker that finds a service away before that ends instead of waiting
    transferscope.wait_idle()
    return bridge, worker


@pytest.mark.parametrize("service", [KAFKA, POSTGRES])
def test_what_is_published_while_a_service_is_away_is_counted_once(
    service: str, transferscope: Commands, breakable: Stack, tmp_path: Path
) -> None:
    messages = rough_traffic(2 * HALF, SEEDS[service])
    bridge, worker = started(transferscope)
    with Publisher(messages[:HALF], transferscope.settings, RATE) as publisher:
        publisher.await_published(HALF // 4)
        with outage(breakable, service, "stop"):
            publisher.await_published(HALF * 3 // 4)
    with Publisher(messages[HALF:], transferscope.settings, RATE) as publisher:
        publisher.await_published(HALF // 4)
        with outage(breakable, service, "kill"):
            publisher.await_published(HALF // 2)
            worker.tell_to_end()
            bridge.end()
            worker.end()
    bridge, worker = started(transferscope)
    bridge.end()
    worker.end()
    assert_recounted(messages, tmp_path, transferscope.database_url, note=f"seed {SEEDS[service]}")


@contextmanager
def caught_with_messages(bridge: Running, publisher: Publisher, stack: Stack, how: str) -> Iterator[None]:
    """The broker is away, and the bridge has messages of it that it could not acknowledge."""
    publisher.await_published(HALF // 3)
    bridge.pause()
    publisher.await_published(HALF * 2 // 3)
    said = len(bridge.said())
    with publisher.paused(), outage(stack, ACTIVEMQ, how):
        bridge.go_on()
        bridge.await_word("trying again", after=said)
        yield


def test_what_a_broker_had_handed_out_when_it_went_away_is_counted_once(
    transferscope: Commands, breakable: Stack, tmp_path: Path
) -> None:
    messages = rough_traffic(2 * HALF, SEEDS[ACTIVEMQ])
    bridge, worker = started(transferscope)
    with KafkaWatch(transferscope.settings["TRANSFERSCOPE_KAFKA_BOOTSTRAP"]) as kafka:
        with Publisher(messages[:HALF], transferscope.settings, RATE) as publisher:
            with caught_with_messages(bridge, publisher, breakable, "stop"):
                said = len(bridge.said())
            bridge.await_word("connected to ", within_s=60, after=said)
        with Publisher(messages[HALF:], transferscope.settings, RATE) as publisher:
            with caught_with_messages(bridge, publisher, breakable, "kill"):
                bridge.end()
            bridge = transferscope.start("bridge")
        transferscope.wait_idle()
        moved = kafka.records()
    worker.end()
    bridge.end()
    assert_recounted(messages, tmp_path, transferscope.database_url, note=f"seed {SEEDS[ACTIVEMQ]}")
    assert moved > len(messages), "nothing was handed out twice: the test shows nothing"
