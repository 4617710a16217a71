"""Each service goes away twice while messages are under way: stopped in order, and killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.devstack.plan import ACTIVEMQ, KAFKA, POSTGRES
from pipeline.devstack.stack import Stack
from tests.support.commands import Commands
from tests.support.kafka_watch import KafkaWatch
from tests.support.publishing import Publisher
from tests.support.recounted import assert_recounted, rough_traffic

pytestmark = pytest.mark.stack

HALF = 3000
RATE = 1000
SEEDS = {KAFKA: 31, POSTGRES: 32, ACTIVEMQ: 33}
HOW = ("stop", "kill")


@contextmanager
def outage(stack: Stack, service: str, how: str) -> Iterator[None]:
    """The service is away as long as the context lasts."""
    stack.stop(service) if how == "stop" else stack.kill(service)
    try:
        yield
    finally:
        stack.start(service)


@pytest.mark.parametrize("service", [KAFKA, POSTGRES])
def test_what_is_published_while_a_service_is_away_is_counted_once(
    service: str, transferscope: Commands, stack: Stack, tmp_path: Path
) -> None:
    messages = rough_traffic(2 * HALF, SEEDS[service])
    bridge, worker = transferscope.start("bridge"), transferscope.start("worker")
    transferscope.wait_idle()
    for how, half in zip(HOW, (messages[:HALF], messages[HALF:]), strict=True):
        with Publisher(half, transferscope.settings, RATE) as publisher:
            publisher.await_published(HALF // 4)
            with outage(stack, service, how):
                publisher.await_published(HALF * 3 // 4)
    transferscope.wait_idle()
    worker.end()
    bridge.end()
    assert_recounted(messages, tmp_path, transferscope.database_url, note=f"seed {SEEDS[service]}")


def test_what_a_broker_had_handed_out_when_it_went_away_is_counted_once(
    transferscope: Commands, stack: Stack, tmp_path: Path
) -> None:
    messages = rough_traffic(2 * HALF, SEEDS[ACTIVEMQ])
    bridge, worker = transferscope.start("bridge"), transferscope.start("worker")
    transferscope.wait_idle()
    with KafkaWatch(transferscope.settings["TRANSFERSCOPE_KAFKA_BOOTSTRAP"]) as kafka:
        for how, half in zip(HOW, (messages[:HALF], messages[HALF:]), strict=True):
            with Publisher(half, transferscope.settings, RATE) as publisher:
                publisher.await_published(HALF // 3)
                # What comes now is handed out to the bridge, but acknowledged only when the broker is gone.
                bridge.pause()
                publisher.await_published(HALF * 2 // 3)
                said = len(bridge.said())
                with publisher.paused(), outage(stack, ACTIVEMQ, how):
                    bridge.go_on()
                    bridge.await_word("trying again", after=said)
        transferscope.wait_idle()
        moved = kafka.records()
    worker.end()
    bridge.end()
    assert moved > len(messages), "nothing was handed out twice: the test shows nothing"
    assert_recounted(messages, tmp_path, transferscope.database_url, note=f"seed {SEEDS[ACTIVEMQ]}")
