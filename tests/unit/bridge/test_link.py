"""A link between a broker and a Kafka of this process: what is acknowledged, and when."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

import pytest

from consumers.bridge import stats
from consumers.bridge.link import Link
from consumers.bridge.settings import BrokerSettings
from consumers.kafka.places import Place
from consumers.kafka.producer import Record
from consumers.stomp.endpoint import Endpoint
from pipeline.telemetry.telemetry import Telemetry
from schemas.topics import FTS_COMPLETE, FTS_START, FTS_TRANSFER
from tests.support.stomp_broker import StompBroker
from tests.support.waiting import eventually

TOPICS = {"transfer.start": FTS_START, "transfer.complete": FTS_COMPLETE}
START, COMPLETE = (f"/queue/Consumer.x.{topic}" for topic in TOPICS)


class Batch:
    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.has_arrived = False
        self.places: list[Place] = []


class MemoryKafka:
    """Keeps what is shipped; confirms at once, or when it is told to."""

    def __init__(self) -> None:
        self.shipped: list[Batch] = []
        self.abandoned = 0
        self.is_there = True
        self._news = threading.Condition()

    def ship(self, records: Sequence[Record]) -> Batch:
        with self._news:
            batch = Batch(records)
            batch.has_arrived = self.is_there
            self.shipped.append(batch)
            return batch

    def serve(self, timeout_s: float) -> None:
        with self._news:
            self._news.wait(0 if self.is_there else timeout_s)

    def abandon(self) -> None:
        self.abandoned += 1

    def confirm(self, *places: int) -> None:
        with self._news:
            for place in places:
                self.shipped[place].has_arrived = True
            self._news.notify_all()

    def come_back(self) -> None:
        self.is_there = True
        self.confirm(*range(len(self.shipped)))

    @property
    def values(self) -> list[bytes]:
        return [record.value for batch in self.shipped for record in batch.records]


class Listening(Protocol):
    """What a link connects to on this machine."""

    port: int


class Running:
    """A link at work."""

    def __init__(self, broker: Listening, kafka: MemoryKafka) -> None:
        settings = BrokerSettings(f"stomp://127.0.0.1:{broker.port}", consumer="x", topics=TOPICS)
        self.bugs: list[BaseException] = []
        self.telemetry = Telemetry("bridge")
        endpoint = Endpoint("127.0.0.1", "127.0.0.1", broker.port)
        self.link = Link(settings, endpoint, {FTS_TRANSFER: 4}, lambda: kafka, self.bugs.append, self.telemetry)
        self.link.start()

    def await_connected(self, times: int = 1) -> None:
        eventually(lambda: self.link.stats.connects >= times and self.link.stats.state == stats.CONNECTED)

    def end(self) -> None:
        self.link.stop()
        assert self.link.join(10), "it ends within the time that operators are promised"
        assert not self.bugs


@pytest.fixture
def broker() -> Iterator[StompBroker]:
    with StompBroker() as broker:
        yield broker


@pytest.fixture
def kafka() -> MemoryKafka:
    return MemoryKafka()


@pytest.fixture
def running(broker: StompBroker, kafka: MemoryKafka) -> Iterator[Running]:
    running = Running(broker, kafka)
    running.await_connected()
    yield running
    kafka.come_back()
    running.end()


def test_what_kafka_has_is_acknowledged(broker: StompBroker, kafka: MemoryKafka, running: Running) -> None:
    broker.put(START, b"1", b"2")
    broker.put(COMPLETE, b"3")
    eventually(lambda: broker.left(START) == broker.left(COMPLETE) == 0)
    assert sorted(kafka.values) == [b"1", b"2", b"3"]
    assert running.link.look().as_dict()["acked"] == 3


def test_while_kafka_is_away_nothing_is_acknowledged(broker: StompBroker, kafka: MemoryKafka, running: Running) -> None:
    kafka.is_there = False
    broker.put(START, *(b"%d" % number for number in range(500)))
    eventually(lambda: kafka.shipped)
    eventually(lambda: running.link.look().backlog.messages == 500)
    assert broker.left(START) == 500
    kafka.come_back()
    eventually(lambda: broker.left(START) == 0)
    assert broker.connections == 1, "the connection is kept meanwhile"


def test_a_later_batch_that_arrives_first_is_not_acknowledged_before_the_earlier_one(
    broker: StompBroker, kafka: MemoryKafka, running: Running
) -> None:
    kafka.is_there = False
    broker.put(START, b"first")
    eventually(lambda: len(kafka.shipped) == 1)
    broker.put(START, b"second")
    eventually(lambda: len(kafka.shipped) == 2)
    kafka.confirm(1)
    broker.put(START, b"third")
    eventually(lambda: len(kafka.shipped) == 3)  # it went round once more since
    assert broker.left(START) == 3
    kafka.confirm(0)
    eventually(lambda: broker.left(START) == 1)
    kafka.confirm(2)
    eventually(lambda: broker.left(START) == 0)


def test_acks_of_a_lost_connection_are_never_sent(broker: StompBroker, kafka: MemoryKafka, running: Running) -> None:
    kafka.is_there = False
    broker.put(START, b"1", b"2")
    eventually(lambda: kafka.shipped)
    shipped = len(kafka.shipped)
    broker.hang_up()
    running.await_connected(times=2)
    eventually(lambda: len(kafka.shipped) > shipped)  # they came again
    kafka.come_back()
    eventually(lambda: broker.left(START) == 0)
    assert broker.errors == [], "the broker answers an ack of another connection with an error"
    assert kafka.abandoned


def test_a_broker_that_comes_back_is_connected_again(broker: StompBroker, kafka: MemoryKafka, running: Running) -> None:
    broker.put(START, b"1")
    eventually(lambda: broker.left(START) == 0)
    broker.stop()
    eventually(lambda: running.link.stats.last_error)
    broker.start()
    running.await_connected(times=2)
    broker.put(START, b"2")
    eventually(lambda: kafka.values == [b"1", b"2"])
    assert running.link.stats.reconnects == 1


def test_stopping_brings_what_is_in_hand_to_its_end(broker: StompBroker, kafka: MemoryKafka) -> None:
    running = Running(broker, kafka)
    running.await_connected()
    kafka.is_there = False
    broker.put(START, b"1")
    eventually(lambda: kafka.shipped)
    running.link.stop()
    broker.put(START, b"2")
    kafka.come_back()
    assert running.link.join(10)
    eventually(lambda: broker.left(START) == 1)
    assert kafka.values == [b"1"]


def test_stopping_does_not_wait_for_a_kafka_that_is_away(
    broker: StompBroker, kafka: MemoryKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.bridge.link.DRAIN_S", 0.3)
    running = Running(broker, kafka)
    running.await_connected()
    kafka.is_there = False
    broker.put(START, b"1")
    eventually(lambda: kafka.shipped)
    begin = time.monotonic()
    running.end()
    assert time.monotonic() - begin < 5
    eventually(lambda: broker.left(START) == 1)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 5000, b"\0" * 3, b'{"a":' * 2000])
def test_no_body_stops_the_link(broker: StompBroker, kafka: MemoryKafka, running: Running, body: bytes) -> None:
    broker.put(START, body, b"next")
    eventually(lambda: broker.left(START) == 0)
    assert kafka.values == [body, b"next"]


def test_a_bug_is_told_and_nothing_is_acknowledged(broker: StompBroker) -> None:
    class Broken(MemoryKafka):
        def ship(self, records: Sequence[Record]) -> Batch:
            raise ZeroDivisionError

    running = Running(broker, Broken())
    running.await_connected()
    broker.put(START, b"1")
    eventually(lambda: running.bugs)
    assert isinstance(running.bugs[0], ZeroDivisionError)
    eventually(lambda: broker.left(START) == 1)
    assert running.link.join(10)
