"""The messages of one transfer reach different writers at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random
from threading import Barrier

import pytest
from confluent_kafka import Producer

from pipeline.ingest import Ingest
from pipeline.simulator import SimMessage
from schemas.envelope import RawMessage
from schemas.topics import BROKER_TOPICS, FTS_TRANSFER
from tests.support.attempts import messages_of_key
from tests.support.commands import Commands
from tests.support.database import Database
from tests.support.kafka_watch import KafkaWatch
from tests.support.recounted import assert_recounted
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

SEED = 51
WRITERS = 3
ROUNDS = 40
KEYS_A_ROUND = 25


def test_writers_that_meet_on_the_same_keys_pair_each_message_once(transferscope: Commands, tmp_path: Path) -> None:
    rng = Random(SEED)
    everything: list[SimMessage] = []
    barrier = Barrier(WRITERS)

    def write(writer: Ingest, batch: Sequence[RawMessage]) -> None:
        prepared = writer.prepare(batch)
        barrier.wait(30)
        writer.commit(batch, prepared)

    with ExitStack() as open_writers, ThreadPoolExecutor(WRITERS) as threads:
        writers = [open_writers.enter_context(closing(Ingest(transferscope.database_url))) for _ in range(WRITERS)]
        for round_ in range(ROUNDS):
            messages = [
                message for key in range(KEYS_A_ROUND) for message in messages_of_key(rng, round_ * KEYS_A_ROUND + key)
            ]
            rng.shuffle(messages)
            batches: list[list[RawMessage]] = [[] for _ in writers]
            for number, message in enumerate(messages, start=len(everything)):
                rng.choice(batches).append(as_received(message, number))
            everything += messages
            list(threads.map(write, writers, batches))
    assert_recounted(everything, tmp_path, transferscope.database_url, note=f"seed {SEED}")
    assert transferscope.json("verify")["differing"] == 0


def test_workers_that_share_a_key_because_it_lies_in_two_partitions_pair_each_message_once(
    transferscope: Commands, tmp_path: Path
) -> None:
    rng = Random(SEED)
    messages = [message for key in range(1500) for message in messages_of_key(rng, key)]
    bootstrap = transferscope.settings["TRANSFERSCOPE_KAFKA_BOOTSTRAP"]
    workers = [transferscope.start("worker") for _ in range(2)]
    with KafkaWatch(bootstrap) as kafka:
        kafka.await_members(len(workers))
        partitions = kafka.partitions
    for worker in workers:
        worker.pause()
    spread(messages, bootstrap, partitions, rng)
    for worker in workers:
        worker.go_on()
    with closing(Database(transferscope.database_url)) as database:
        received = "SELECT coalesce(sum(received), 0) FROM report.source_10m"
        eventually(lambda: database.value(received) >= len(messages), within_s=60)
    assert all(worker.health()["stored"] for worker in workers), "one worker did all of it: the test shows nothing"
    for worker in workers:
        worker.end()
    assert_recounted(messages, tmp_path, transferscope.database_url, note=f"seed {SEED}")


def as_received(message: SimMessage, number: int) -> RawMessage:
    """The message as a consumer of Kafka gets it."""
    kind, place = BROKER_TOPICS[message.topic], f"{FTS_TRANSFER}-0-{number}"
    return RawMessage(kind, message.topic, message.body, message.headers, message.received_ms, place, place)


def spread(messages: Sequence[SimMessage], bootstrap: str, partitions: int, rng: Random) -> None:
    """Into Kafka as the bridge writes, but into any partition."""
    producer = Producer({"bootstrap.servers": bootstrap})
    for number, message in enumerate(messages):
        headers: dict[str, str | bytes | None] = {
            "kind": BROKER_TOPICS[message.topic],
            "destination": message.topic,
            "received-at": str(message.received_ms),
            "stomp.message-id": f"ID:test-{number}",
            "stomp.timestamp": str(message.received_ms),
        }
        producer.produce(FTS_TRANSFER, message.body, partition=rng.randrange(partitions), headers=headers)
    assert producer.flush(30) == 0
