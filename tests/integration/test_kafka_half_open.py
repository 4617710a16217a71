"""A connection that has ended for Kafka alone: no reset, no end, no answer. Each client must find out by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from kafka import KafkaAdminClient

from consumers.kafka.access import KafkaAccess
from consumers.kafka.consumer import BulkConsumer
from consumers.kafka.feed import feed
from consumers.kafka.gather import Limits
from consumers.kafka.producer import Producer, Record
from pipeline.devstack.stack import Stack
from tests.support.tcp_proxy import Proxy, kafka_frames

pytestmark = pytest.mark.stack

TOPIC = "test.half-open"
WITHIN_S = 25.0


@pytest.fixture
def direct(stack: Stack) -> Iterator[KafkaAccess]:
    """Kafka itself, with an empty topic of one partition."""
    access = KafkaAccess((stack.env()["TRANSFERSCOPE_KAFKA_BOOTSTRAP"],))
    with closing(KafkaAdminClient(bootstrap_servers=list(access.servers))) as client:
        client.create_topics({TOPIC: {"num_partitions": 1}}, wait_for_metadata=True)
        yield access
        client.delete_topics([TOPIC])


@pytest.fixture
def proxy(direct: KafkaAccess) -> Iterator[Proxy]:
    port = urlsplit(f"//{direct.address}").port
    assert port is not None
    with Proxy(port, lambda own: kafka_frames(port, own)) as proxy:
        yield proxy


def record(number: int) -> Record:
    return Record(TOPIC, 0, "key", b"%d" % number, [])


def test_a_producer_and_a_consumer_go_on_soon(direct: KafkaAccess, proxy: Proxy) -> None:
    through = KafkaAccess((proxy.address,))
    producer = Producer(through, lambda record: record)

    def deliver(number: int) -> bool:
        until = time.monotonic() + WITHIN_S
        return producer.deliver([record(number)], lambda: time.monotonic() < until)

    async def nothing() -> None:
        return None

    async def read_on() -> None:
        consumer = BulkConsumer(through, [TOPIC], "test-half-open", nothing)
        await consumer.start()
        try:
            await read_one(consumer)
            proxy.forget()
            feed(direct, [record(3)])
            await read_one(consumer)
        finally:
            await consumer.stop()

    async def read_one(consumer: BulkConsumer) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not (await consumer.read(Limits(10, 10**6, 0.1), 0.5)).messages:
                pass

    assert deliver(1)
    assert proxy.forget() > 0
    assert deliver(2), f"the producer stands still for {WITHIN_S:.0f} s"
    asyncio.run(read_on())
