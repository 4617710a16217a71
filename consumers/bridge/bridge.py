"""READ FIRST: the bridge. ActiveMQ's virtual queues on one side, Kafka on the other, nothing kept in between.

    broker address -> stomp.py's thread -> ledger -> link thread: Kafka record, Kafka's acknowledgement, STOMP ack

``link`` tells the order of these steps and what a crash between them means, ``ledger`` why no ack passes a message
that is not in Kafka, ``fleet`` which addresses are connected. Each address has its own threads and its own Kafka
client, so that none waits for another.

At its bounds: a full ledger stops the reading (the broker keeps the messages); Kafka away stops the acks, and so the
broker's sending; a broker away is tried again with growing, jittered delays.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from consumers.bridge.fleet import Fleet
from consumers.bridge.health import BridgeHealth
from consumers.bridge.link import DRAIN_S, Link
from consumers.bridge.mapping import too_large
from consumers.bridge.settings import BrokerSettings
from consumers.errors import Unreachable
from consumers.kafka.access import KafkaAccess
from consumers.kafka.producer import Producer
from consumers.stomp.endpoint import SERVICE, Endpoint
from pipeline.telemetry.telemetry import Telemetry
from schemas.topics import KINDS

log = logging.getLogger(__name__)

RESOLVE_S = 60.0
REPORT_S = 30.0
GRACE_S = 30.0
"""A bridge that has reached no broker at all for so long after its start says so and ends; later it never gives up."""
_GC_THRESHOLD = 100_000
"""Nothing that is made for a message has cycles: to look for them after every 700 objects takes a tenth of the time."""
_TICK_S = 0.2
_STOP_S = DRAIN_S + 3.0


class Bridge:
    """``run`` works until ``stop`` is set; ``status``, ``health`` and ``telemetry`` may be asked from any thread."""

    def __init__(
        self, brokers: Sequence[BrokerSettings], kafka: KafkaAccess, traces_endpoint: str | None = None
    ) -> None:
        """Raises KafkaAway, NoTopic when Kafka does not have what the brokers' topics need."""
        self.telemetry = Telemetry("bridge", traces_endpoint)
        self._brokers = brokers
        self._kafka = kafka
        needed = sorted({KINDS[kind] for broker in brokers for kind in broker.topics.values()})
        self._partitions = self._new_producer().partitions(needed)
        self._fleet = Fleet(brokers, self._new_link)
        self.health = BridgeHealth(self.status)
        self._bug: BaseException | None = None

    def run(self, stop: threading.Event) -> None:
        """Forward until ``stop`` is set, then end within 10 s.

        Raises Unreachable when no broker can be reached at the start, and whatever bug a link died of.
        """
        gc.set_threshold(_GC_THRESHOLD)
        began = resolved = reported = time.monotonic()
        self._fleet.reconcile()
        while not stop.wait(_TICK_S) and self._bug is None:
            now = time.monotonic()
            if now - resolved >= RESOLVE_S:
                resolved = now
                self._fleet.reconcile()
            if now - reported >= REPORT_S:
                reported = now
                self.report()
            if now - began >= GRACE_S and not any(link.stats.connects for link in self._fleet.links):
                break
        late = self._fleet.stop(_STOP_S)
        for link in late:
            log.warning("%s has not ended in time: what it had in hand will come again", link.endpoint)
        self.report()
        if self._bug is not None:
            raise self._bug
        if not stop.is_set():
            names = ", ".join(broker.url for broker in self._brokers)
            raise Unreachable(SERVICE, names, "; ".join(self._fleet.problems))

    def status(self) -> list[dict[str, Any]]:
        """The counters of every address."""
        return [link.look().as_dict() for link in self._fleet.links]

    def report(self) -> None:
        """A line for every address in the log."""
        for link in self._fleet.links:
            log.info("%s", link.look().line())

    def _new_producer(self) -> Producer:
        return Producer(self._kafka, too_large, self.telemetry.traces.is_on or log.isEnabledFor(logging.DEBUG))

    def _new_link(self, broker: BrokerSettings, endpoint: Endpoint) -> Link:
        return Link(broker, endpoint, self._partitions, self._new_producer, self._on_bug, self.telemetry)

    def _on_bug(self, error: BaseException) -> None:
        self._bug = self._bug or error
