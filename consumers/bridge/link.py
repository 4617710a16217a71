"""One address of a broker: a thread that connects, forwards to Kafka, acknowledges, and connects again.

With every batch, in this order:

1. take from the ledger what came. If we die here: nothing was acknowledged, the broker hands it out again.
2. ship it to Kafka, and wait until Kafka has acknowledged all of it. If we die here: some of it is in Kafka twice.
3. acknowledge it to the broker, on the connection that it came from. If we die here: likewise.

A few batches are at step 2 at a time; the first one shipped is the first one acknowledged.

Twice is harmless, as whoever reads Kafka knows messages apart. Messages are never refused (NACK): to ActiveMQ that
means its dead letter queue.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from consumers.bridge import stats
from consumers.bridge.ledger import Ledger
from consumers.bridge.mapping import record_of, sources
from consumers.bridge.ports import Shipment, Shipper
from consumers.bridge.settings import BrokerSettings
from consumers.bridge.stats import LinkStats
from consumers.errors import Unreachable
from consumers.kafka.places import batch_id
from consumers.kafka.producer import Record
from consumers.stomp.endpoint import Endpoint
from consumers.stomp.frames import Delivery
from consumers.stomp.session import Lost, Session
from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry
from pipeline.telemetry.traces import BATCH, BATCH_MESSAGES, BROKER, TRACEPARENT, Span
from schemas.topics import MAX_BODY_BYTES

log = logging.getLogger(__name__)

PREFETCH = 2000
"""Messages of a subscription that the broker sends ahead of acks. It pages in 200 at a time and stops there until
something is acknowledged, so acks are sent as soon as Kafka has confirmed, not at a fixed count."""
DRAIN_S = 5.0
"""On stopping, Kafka gets so long to confirm what is in hand."""
_CLOSE_S = 2.0
_TAKE_S = 0.2
_SERVE_S = 0.005
_UNDER_WAY = 16
"""Batches that Kafka has not confirmed. Every ack makes the broker page in 200 messages more, so with few batches
Kafka's latency would set the rate. The ledger bounds their bytes."""
_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0
_STABLE_S = 30.0
"""A connection that held so long was a good one: the next attempt comes at once."""


class _Sent(NamedTuple):
    """A batch on its way to Kafka; ``at`` by the monotonic clock."""

    at: float
    shipment: Shipment
    span: Span


class Link:
    """Started with ``start``, ended with ``stop`` and then ``join``."""

    def __init__(
        self,
        settings: BrokerSettings,
        endpoint: Endpoint,
        partitions: Mapping[str, int],
        new_producer: Callable[[], Shipper],
        on_bug: Callable[[BaseException], None],
        telemetry: Telemetry,
    ) -> None:
        """``on_bug`` is told of what no link should meet; the link is dead then."""
        self.endpoint = endpoint
        self.stats = LinkStats(str(endpoint))
        self._settings = settings
        self._sources = sources(f"{endpoint.host}:{endpoint.port}", settings.topics, partitions)
        self._new_producer = new_producer
        self._on_bug = on_bug
        self._telemetry = telemetry
        self._ledger = Ledger()
        self._stopping = threading.Event()
        self._stop_at = 0.0
        self._thread = threading.Thread(target=self._run, name=f"link {endpoint}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more, bring what is in hand to its end, disconnect."""
        self._stop_at = time.monotonic() + DRAIN_S
        self._stopping.set()
        self._ledger.close()

    def join(self, timeout_s: float) -> bool:
        """Whether it has ended within that time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def look(self) -> LinkStats:
        """The counters with the present backlog."""
        self.stats.backlog = self._ledger.backlog()
        return self.stats

    def _run(self) -> None:
        try:
            self._connect_for_ever(self._new_producer())
        except BaseException as error:  # noqa: BLE001 - the outermost frame of this thread: whoever runs it must know
            self._on_bug(error)
        finally:
            self.stats.state = stats.STOPPED

    def _connect_for_ever(self, producer: Shipper) -> None:
        delay = _FIRST_DELAY_S
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._connection(producer)
            except Unreachable as error:
                self._failed(error, error.short)
            except Lost as error:
                self._failed(error, str(error))
            if time.monotonic() - began > _STABLE_S:
                delay = _FIRST_DELAY_S
            self._stopping.wait(delay * random.uniform(0.5, 1.5))
            delay = min(2 * delay, _LONGEST_DELAY_S)

    def _failed(self, error: Exception, why: str) -> None:
        if why != self.stats.last_error or self.stats.state == stats.CONNECTED:
            log.warning("%s; trying again", error)
        self.stats.state = stats.CONNECTING
        self.stats.last_error = why
        self._telemetry.add(metrics.BRIDGE_FAILURES, 1)

    def _connection(self, producer: Shipper) -> None:
        """One connection from beginning to end, with a ledger of its own. Raises Unreachable, Lost."""
        self._ledger = ledger = Ledger()
        if self._stopping.is_set():
            return
        session = Session.open(self.endpoint, self._settings.login, ledger)
        try:
            for subscription, source in self._sources.items():
                session.subscribe(subscription.decode(), self._settings.destination(source.topic), PREFETCH)
            self.stats.connects += 1
            self._telemetry.add(metrics.BRIDGE_CONNECTS, 1)
            self.stats.state = stats.CONNECTED
            self.stats.last_error = ""
            log.info("connected to %s, subscribed to %s", self.endpoint, ", ".join(self._settings.topics))
            self._forward(session, ledger, producer)
        except Lost as lost:
            raise Lost(f"the connection to {self.endpoint} is lost: {lost}") from lost
        finally:
            ledger.close()
            if not session.close(_CLOSE_S) and session.lost is None:
                log.warning(
                    "%s did not confirm the last acknowledgements: it may send some messages again", self.endpoint
                )

    def _forward(self, session: Session, ledger: Ledger, producer: Shipper) -> None:
        under_way: deque[_Sent] = deque()
        try:
            while under_way or not self._stopping.is_set():
                if not self._may_wait():
                    return
                if len(under_way) < _UNDER_WAY:
                    batch = ledger.take(0.0 if under_way else _TAKE_S)
                    if batch:
                        under_way.append(self._ship(batch, producer))
                    elif session.lost is not None:
                        raise Lost(session.lost)
                if under_way:
                    producer.serve(_SERVE_S)
                while under_way and under_way[0].shipment.has_arrived:
                    count = self._arrived(under_way.popleft())
                    for ack in ledger.confirm():
                        session.ack(ack)
                    self.stats.acked += count
                    self._telemetry.add(metrics.BRIDGE_ACKED, count)
        finally:
            if under_way:
                producer.abandon()
                for sent in under_way:
                    sent.span.end({BATCH_MESSAGES: len(sent.shipment.records)}, trouble="given up: it comes again")

    def _ship(self, batch: list[Delivery], producer: Shipper) -> _Sent:
        span = self._telemetry.traces.begin("publish batch", "producer")
        records = self._records(batch)
        if self._telemetry.traces.is_on:
            named = (TRACEPARENT, span.traceparent)
            records = [record._replace(headers=[*record.headers, named]) for record in records]
        return _Sent(time.monotonic(), producer.ship(records), span)

    def _records(self, batch: list[Delivery]) -> list[Record]:
        """Raises Lost for what no broker sends: nothing of the batch can be trusted then, and no ack named."""
        for message in batch:
            if message.headers.get("subscription") not in self._sources or "ack" not in message.headers:
                raise Lost("it sent a message that belongs to no subscription of ours, or that cannot be acknowledged")
        now_ms = time.time_ns() // 1_000_000
        size = sum(len(message.body) for message in batch)
        too_large = sum(len(message.body) > MAX_BODY_BYTES for message in batch)
        self.stats.received += len(batch)
        self.stats.bytes += size
        self.stats.too_large += too_large
        self._telemetry.add(metrics.BRIDGE_RECEIVED, len(batch))
        self._telemetry.add(metrics.BRIDGE_RECEIVED_BYTES, size)
        self._telemetry.add(metrics.BRIDGE_TOO_LARGE, too_large)
        self._telemetry.observe(metrics.BRIDGE_BATCH, len(batch))
        self._telemetry.set(metrics.BRIDGE_LAST_RECEIVED, now_ms / 1000)
        return [record_of(message, self._sources[message.headers["subscription"]], now_ms) for message in batch]

    def _arrived(self, sent: _Sent) -> int:
        """Kafka has a batch; how many records."""
        shipment = sent.shipment
        count = len(shipment.records)
        took_s = time.monotonic() - sent.at
        self.stats.published += count
        self._telemetry.add(metrics.BRIDGE_PUBLISHED, count)
        self._telemetry.observe(metrics.BRIDGE_PUBLISH, took_s)
        if log.isEnabledFor(logging.DEBUG):
            told = {"batch": batch_id(shipment.places), "messages": count, "seconds": round(took_s, 4)}
            log.debug("batch is in Kafka", extra=told)
        if self._telemetry.traces.is_on:
            batch, broker = batch_id(shipment.places), str(self.endpoint)
            sent.span.end({BATCH: batch, BATCH_MESSAGES: count, BROKER: broker})
        return count

    def _may_wait(self) -> bool:
        return not self._stopping.is_set() or time.monotonic() < self._stop_at
