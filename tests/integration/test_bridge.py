"""The bridge between real ActiveMQ and real Kafka."""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from consumers.bridge import bridge as bridge_module
from consumers.bridge.bridge import Bridge
from consumers.bridge.mapping import KEPT_BYTES
from consumers.bridge.publish import create_queues, publish
from consumers.bridge.settings import BrokerSettings
from consumers.errors import Unreachable
from consumers.kafka.access import KafkaAccess, KafkaAway, NoTopic
from consumers.kafka.admin import ensure_topics
from pipeline.devstack.plan import free_ports
from pipeline.devstack.stack import Stack
from schemas.keys import partition_of
from schemas.topics import BROKER_TOPICS, FTS_COMPLETE, FTS_TRANSFER, KINDS
from tests.support.commands import Commands
from tests.support.kafka_reader import KafkaReader
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

TOPIC = "transfer.fts_monitoring_complete"
PARTITIONS = 4
_NAMES = itertools.count()


class Message(NamedTuple):
    body: bytes
    topic: str = TOPIC
    headers: Mapping[str, str] = MappingProxyType({})


def numbered(count: int, size: int = 500) -> list[Message]:
    return [Message(json.dumps({"job_id": "j", "file_id": n, "x": "y" * size}).encode()) for n in range(count)]


@pytest.fixture
def kafka(stack: Stack) -> KafkaAccess:
    access = KafkaAccess((stack.env()["TRANSFERSCOPE_KAFKA_BOOTSTRAP"],))
    ensure_topics(access, PARTITIONS)
    return access


@pytest.fixture
def broker(stack: Stack) -> BrokerSettings:
    """The stack's, with a virtual queue of this test's own."""
    settings = stack.env()
    found = BrokerSettings(
        settings["TRANSFERSCOPE_STOMP_BROKERS"],
        settings["TRANSFERSCOPE_STOMP_USER"],
        Path(settings["TRANSFERSCOPE_STOMP_PASSWORD_FILE"]),
        consumer=f"bridge-test-{next(_NAMES)}",
    )
    create_queues(found)
    return found


@pytest.fixture
def reader(kafka: KafkaAccess) -> Iterator[KafkaReader]:
    with KafkaReader(kafka.address, FTS_TRANSFER) as reader:
        yield reader


@contextmanager
def running(*brokers: BrokerSettings, kafka: KafkaAccess) -> Iterator[Bridge]:
    stop = threading.Event()
    bridge = Bridge(brokers, kafka)
    problems: list[BaseException] = []

    def run() -> None:
        try:
            bridge.run(stop)
        except BaseException as problem:  # noqa: BLE001 - told to the test below
            problems.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield bridge
    finally:
        stop.set()
        thread.join(15)
    assert not thread.is_alive()
    assert not problems


def test_a_message_arrives_as_it_was_published(broker: BrokerSettings, kafka: KafkaAccess, reader: KafkaReader) -> None:
    body = b' {"job_id": "j", "file_id": 77, "x": "\xff\x00"}\x04'
    publish([Message(body, headers={"timestamp": "1795300000000", "vo": "at:las"})], broker)
    with running(broker, kafka=kafka):
        (found,) = reader.read_until(lambda all_: len(all_) == 1)
    assert found.value == body
    assert found.headers["kind"] == FTS_COMPLETE.encode()
    assert found.headers["destination"] == TOPIC.encode()
    assert found.headers["received-at"] == b"1795300000000"
    assert found.headers["origin"] == f"{broker.host}:{broker.port}".encode()
    assert found.headers["stomp.vo"] == b"at:las"


def test_all_messages_of_a_transfer_key_share_a_partition(
    broker: BrokerSettings, kafka: KafkaAccess, reader: KafkaReader
) -> None:
    publish([*numbered(40), *numbered(40)], broker)
    with running(broker, kafka=kafka):
        found = reader.read_until(lambda all_: len(all_) == 80)
    places = {(record.key, record.partition) for record in found}
    assert {key for key, _ in places} == {f"{number}__j" for number in range(40)}
    assert len(places) == 40
    assert places == {(key, partition_of(key, reader.partitions)) for key, _ in places}


def test_a_body_of_20_mb_arrives_as_its_beginning_and_its_digest_and_stops_nothing(
    broker: BrokerSettings, kafka: KafkaAccess, reader: KafkaReader
) -> None:
    large, largest = b"l" * 20_000_000, b"m" * 16 * 2**20
    publish([Message(large), Message(largest), Message(b"{}")], broker)
    with running(broker, kafka=kafka):
        found = reader.read_until(lambda all_: len(all_) == 3)
    by_size = sorted(found, key=lambda record: len(record.value))
    assert [len(record.value) for record in by_size] == [2, KEPT_BYTES, 16 * 2**20]
    cut = by_size[1]
    assert cut.value == large[:KEPT_BYTES]
    assert cut.headers["dead-reason"] == b"too_large"
    assert cut.headers["size"] == b"20000000"
    assert cut.headers["sha256"].decode() == hashlib.sha256(large).hexdigest()


def test_a_topic_without_a_virtual_queue_is_bridged_too(
    broker: BrokerSettings, kafka: KafkaAccess, reader: KafkaReader
) -> None:
    listening = BrokerSettings(broker.url, broker.user, broker.password_file, topics=BROKER_TOPICS, mode="topic")
    with running(listening, kafka=kafka) as bridge:
        eventually(lambda: [link for link in bridge.status() if link["state"] == "connected"])
        publish(numbered(10), broker)
        reader.read_until(lambda all_: len(all_) == 10)


def test_one_broker_that_is_away_does_not_stop_the_other(
    broker: BrokerSettings, kafka: KafkaAccess, reader: KafkaReader
) -> None:
    (nobody,) = free_ports(1)
    away = BrokerSettings(f"stomp://127.0.0.1:{nobody}")
    publish(numbered(50), broker)
    with running(away, broker, kafka=kafka) as bridge:
        reader.read_until(lambda all_: len(all_) == 50)
        states = {link["broker"]: link["state"] for link in bridge.status()}
    assert states == {f"127.0.0.1:{nobody}": "connecting", f"127.0.0.1:{broker.port}": "connected"}


def test_a_bridge_that_reaches_no_broker_says_which(kafka: KafkaAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge_module, "GRACE_S", 1.0)
    (nobody,) = free_ports(1)
    with pytest.raises(Unreachable, match=f"127.0.0.1:{nobody}.*Connection refused"):
        Bridge([BrokerSettings(f"stomp://127.0.0.1:{nobody}")], kafka).run(threading.Event())


def test_without_kafka_it_does_not_begin(broker: BrokerSettings) -> None:
    (nobody,) = free_ports(1)
    with pytest.raises(KafkaAway, match=f"127.0.0.1:{nobody}"):
        Bridge([broker], KafkaAccess((f"127.0.0.1:{nobody}",)))


def test_a_missing_topic_is_named(broker: BrokerSettings, kafka: KafkaAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, FTS_COMPLETE, "no.such.topic")
    with pytest.raises(NoTopic, match=r"no\.such\.topic"):
        Bridge([broker], kafka)


def test_sigterm_at_work_ends_in_order_and_nothing_comes_twice(
    broker: BrokerSettings, stack: Stack, reader: KafkaReader, tmp_path: Path
) -> None:
    commands = Commands({**stack.env(), "TRANSFERSCOPE_STOMP_CONSUMER": broker.consumer}, tmp_path)
    total = 12_000
    try:
        bridge = commands.start("bridge")
        bridge.await_word("connected to")
        publishing = threading.Thread(target=publish, args=(numbered(total), broker))
        publishing.start()
        reader.read_until(lambda all_: len(all_) > 1000)
        bridge.end()
        at_end = len({record.message_id for record in reader.read_rest()})
        publishing.join()
        assert at_end < total, "it was stopped while messages were still to come"
        again = commands.start("bridge")
        reader.read_until(lambda all_: len({record.message_id for record in all_}) == total)
        again.end()
    finally:
        commands.close()
    ids = [record.message_id for record in reader.read_rest()]
    assert len(ids) == total, "what was handed over at the end was acknowledged too"
