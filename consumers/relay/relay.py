"""The outbox to Kafka, at least once: a line is forgotten when Kafka has acknowledged its documents."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from consumers.kafka.access import KafkaAccess
from consumers.kafka.producer import Producer, Record
from consumers.worker.backoff import Backoff
from pipeline.store.outbox import Document, Outbox, Taken
from pipeline.store.session import Unavailable
from schemas.topics import ALERTS, DEAD_LETTERS, TRANSFERS

log = logging.getLogger(__name__)

PUBLISHED = (TRANSFERS, DEAD_LETTERS, ALERTS)
"""The topics that it writes."""
_BY_KEY = -1
_LOOK_EVERY_S = 0.5
_ASK_FOR_TURN_S = 5.0
_LINE_EVERY_S = 30.0
_LAST_WAIT_S = 5.0


class Lines(Protocol):
    """What is used of ``pipeline.store.outbox.Outbox``."""

    def take(self) -> Taken | None: ...
    def done(self, taken: Taken) -> None: ...
    def close(self) -> None: ...


class Shipper(Protocol):
    """What is used of ``consumers.kafka.producer.Producer``."""

    def deliver(self, records: Sequence[Record], may_wait: Callable[[], bool]) -> bool: ...


def start(database_url: str, access: KafkaAccess) -> Relay:
    """A relay between the two. Raises KafkaAway, NoTopic."""
    producer = Producer(access, lambda record: record)  # no document comes near the limit of a record
    producer.partitions(PUBLISHED)
    return Relay(Outbox(database_url), producer)


class Relay:
    """Takes from the outbox, publishes, forgets; waits for a service that is away."""

    def __init__(self, outbox: Lines, producer: Shipper) -> None:
        self._outbox = outbox
        self._producer = producer
        self._published = 0
        self._has_turn: bool | None = None
        self._away = False

    def run(self, stop: threading.Event) -> None:
        """Returns after ``stop`` is set; what Kafka has not acknowledged by then is published again by the next one."""
        backoff = Backoff()
        told_at = time.monotonic()
        try:
            while not stop.is_set():
                try:
                    pause_s = self._step(stop)
                    self._well(backoff)
                except Unavailable as error:
                    self._trouble(error)
                    pause_s = backoff.next_s()
                if time.monotonic() - told_at >= _LINE_EVERY_S:
                    told_at = time.monotonic()
                    log.info("%d documents published since the start", self._published)
                stop.wait(pause_s)
        finally:
            self._outbox.close()
        log.info("ended; %d documents published", self._published)

    def _step(self, stop: threading.Event) -> float:
        """One look at the outbox; how long to wait until the next."""
        taken = self._outbox.take()
        self._tell_turn(taken is not None)
        if taken is None:
            return _ASK_FOR_TURN_S
        if not taken.lines:
            return _LOOK_EVERY_S
        if not self._producer.deliver([_record(document) for document in taken.documents], _patience(stop)):
            return 0
        self._outbox.done(taken)
        self._published += len(taken.documents)
        return 0

    def _tell_turn(self, has_turn: bool) -> None:
        if has_turn != self._has_turn:
            self._has_turn = has_turn
            log.info("relaying" if has_turn else "another relay is at work; standing by")

    def _trouble(self, error: Unavailable) -> None:
        if not self._away:
            log.warning("%s; waiting for it", error)
        self._away = True

    def _well(self, backoff: Backoff) -> None:
        if self._away:
            log.info("PostgreSQL is back")
        self._away = False
        backoff.reset()


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
