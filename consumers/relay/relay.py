"""The outbox to Kafka, at least once: a line is forgotten when Kafka has acknowledged its documents."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from consumers.health import Health
from consumers.kafka.access import KafkaAccess
from consumers.kafka.producer import Producer, Record
from consumers.worker.backoff import Backoff
from pipeline.store.outbox import Depth, Document, Outbox, Taken
from pipeline.store.session import Unavailable
from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry
from pipeline.telemetry.traces import BATCH_MESSAGES
from schemas.topics import ALERTS, DEAD_LETTERS, TRANSFERS

log = logging.getLogger(__name__)

PUBLISHED = (TRANSFERS, DEAD_LETTERS, ALERTS)
"""The topics that it writes."""
POSTGRES = "PostgreSQL"
_BY_KEY = -1
_LOOK_EVERY_S = 0.5
_ASK_FOR_TURN_S = 5.0
_DEPTH_EVERY_S = 15.0
_LINE_EVERY_S = 30.0
_LAST_WAIT_S = 5.0


class Lines(Protocol):
    """What is used of ``pipeline.store.outbox.Outbox``."""

    def take(self) -> Taken | None: ...
    def done(self, taken: Taken) -> None: ...
    def depth(self) -> Depth: ...
    def close(self) -> None: ...


class Shipper(Protocol):
    """What is used of ``consumers.kafka.producer.Producer``."""

    def deliver(self, records: Sequence[Record], may_wait: Callable[[], bool]) -> bool: ...


def start(database_url: str, access: KafkaAccess, health: Health, telemetry: Telemetry, address: str) -> Relay:
    """A relay between the two; ``address``: where it can be asked how it is. Raises KafkaAway, NoTopic."""
    producer = Producer(access, lambda record: record)  # no document comes near the limit of a record
    producer.partitions(PUBLISHED)
    return Relay(Outbox(database_url, address), producer, health, telemetry)


class Relay:
    """Takes from the outbox, publishes, forgets; waits for a service that is away."""

    def __init__(self, outbox: Lines, producer: Shipper, health: Health, telemetry: Telemetry) -> None:
        self._outbox = outbox
        self._producer = producer
        self._health = health
        self._telemetry = telemetry
        self._published = 0
        self._has_turn: bool | None = None

    def run(self, stop: threading.Event) -> None:
        """Returns after ``stop`` is set; what Kafka has not acknowledged by then is published again by the next one."""
        backoff = Backoff()
        told_at = look_at = time.monotonic()
        try:
            while not stop.is_set():
                try:
                    if time.monotonic() >= look_at:
                        look_at = time.monotonic() + _DEPTH_EVERY_S
                        self._measure()
                    pause_s = self._step(stop)
                    self._health.well(POSTGRES)
                    self._health.idle()
                    backoff.reset()
                except Unavailable as error:
                    self._health.trouble(POSTGRES, str(error))
                    self._telemetry.set(metrics.RELAY_TURN, 0)
                    self._telemetry.forget(metrics.RELAY_OUTBOX)
                    self._telemetry.forget(metrics.RELAY_OUTBOX_OLDEST)
                    pause_s = backoff.next_s()
                if time.monotonic() - told_at >= _LINE_EVERY_S:
                    told_at = time.monotonic()
                    log.info("%d documents published since the start", self._published)
                stop.wait(pause_s)
        finally:
            self._outbox.close()
        log.info("ended; %d documents published", self._published)

    def _measure(self) -> None:
        depth = self._outbox.depth()
        self._telemetry.set(metrics.RELAY_OUTBOX, depth.rows)
        self._telemetry.set(metrics.RELAY_OUTBOX_OLDEST, depth.oldest_s or 0.0)

    def _step(self, stop: threading.Event) -> float:
        """One look at the outbox; how long to wait until the next."""
        taken = self._outbox.take()
        self._tell_turn(taken is not None)
        if taken is None:
            return _ASK_FOR_TURN_S
        if not taken.lines:
            return _LOOK_EVERY_S
        began = time.monotonic()
        span = self._telemetry.traces.begin("relay batch", "producer")
        told = {BATCH_MESSAGES: len(taken.documents)}
        if not self._producer.deliver([_record(document) for document in taken.documents], _patience(stop)):
            span.end(told, trouble="Kafka has not acknowledged it: it is published again")
            return 0
        self._outbox.done(taken)
        span.end(told)
        self._published += len(taken.documents)
        self._telemetry.observe(metrics.RELAY_PUBLISH, time.monotonic() - began)
        self._telemetry.observe(metrics.RELAY_BATCH, len(taken.documents))
        for topic, number in Counter(document.topic for document in taken.documents).items():
            self._telemetry.add(metrics.RELAY_PUBLISHED, number, topic)
        return 0

    def _tell_turn(self, has_turn: bool) -> None:
        self._telemetry.set(metrics.RELAY_TURN, has_turn)
        if has_turn != self._has_turn:
            self._has_turn = has_turn
            log.info("relaying" if has_turn else "another relay is at work; standing by")


def _record(document: Document) -> Record:
    headers = [("id", document.key.encode())]
    return Record(document.topic, _BY_KEY, document.key, document.text.encode(), headers)


def _patience(stop: threading.Event) -> Callable[[], bool]:
    """For ever, but not much longer than until the stop: Kafka may be away."""
    ends: list[float] = []

    def may_wait() -> bool:
        if stop.is_set() and not ends:
            ends.append(time.monotonic() + _LAST_WAIT_S)
        return not ends or time.monotonic() < ends[0]

    return may_wait
