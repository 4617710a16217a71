"""Records into Kafka, and certainty about them: confluent-kafka, idempotent, acks from all in-sync replicas.

confluent-kafka because of its price: 9 µs a message against kafka-python's 60.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Producer as Client

from consumers.kafka.access import KafkaAccess, KafkaAway, NoTopic
from consumers.kafka.places import Place
from schemas.topics import MAX_BODY_BYTES

log = logging.getLogger(__name__)
_library_log = logging.getLogger("librdkafka")

MAX_RECORD_BYTES = MAX_BODY_BYTES + 1024 * 1024
"""A body of the largest size with its headers."""
_METADATA_TIMEOUT_S = 10.0
_LINGER_MS = 50
"""Large requests are cheap: with 5 or less the bridge took 37 to 91 µs a message and not 28, and with 20 Kafka itself
took 15 to 20 and not 8 to 10."""
_FULL_S = 0.1
_PURGE_S = 0.5
_SERVE_S = 0.2
_RETRY_S = 1.0
_TOLD_EVERY_S = 30.0
_TOO_LARGE = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE)


class Record(NamedTuple):
    """What goes into a partition of a topic."""

    topic: str
    partition: int
    key: str
    value: bytes
    headers: Sequence[tuple[str, bytes | str]]


class Shipment:
    """Records on their way. ``left`` of them have not been heard of; ``refused`` says what Kafka did not take;
    ``places`` where the others are, which is noted only for those who tell of every batch."""

    def __init__(self, records: Sequence[Record], notes_places: bool) -> None:
        self.records = records
        self.left = len(records)
        self.refused: list[tuple[KafkaError, bytes]] = []
        self.places: list[Place] = []
        self._notes_places = notes_places

    @property
    def has_arrived(self) -> bool:
        """Whether Kafka has acknowledged every record."""
        return self.left == 0 and not self.refused

    def _on_delivery(self, error: KafkaError | None, message: Any) -> None:
        self.left -= 1
        if error is not None:
            self.refused.append((error, message.value() or b""))
        elif self._notes_places:
            self.places.append((message.topic(), message.partition(), message.offset()))


class Producer:
    """Ships records; for one thread. What Kafka refuses is shipped again until it takes it."""

    def __init__(self, access: KafkaAccess, shrink: Callable[[Record], Record], notes_places: bool = False) -> None:
        """``shrink`` makes a smaller stand-in of a record that Kafka refuses for its size; ``notes_places``: shipments
        know where their records are."""
        self._access = access
        self._shrink = shrink
        self._notes_places = notes_places
        self._told_at: float | None = None
        self._under_way: list[Shipment] = []
        self._client = self._new_client()

    def partitions(self, topics: Iterable[str]) -> dict[str, int]:
        """The number of partitions of each topic. Raises KafkaAway, NoTopic."""
        counts: dict[str, int] = {}
        for topic in topics:
            try:
                found = self._client.list_topics(topic, timeout=_METADATA_TIMEOUT_S).topics[topic]
            except KafkaException as error:
                raise KafkaAway(self._access.address, _reason(error.args[0])) from error
            if found.error is not None or not found.partitions:
                raise NoTopic(topic, self._access.address)
            counts[topic] = len(found.partitions)
        return counts

    def ship(self, records: Sequence[Record]) -> Shipment:
        """Send these; the same batch may be written twice when Kafka has trouble. ``serve`` brings the news of them."""
        shipment = Shipment(records, self._notes_places)
        self._under_way.append(shipment)
        self._produce(shipment)
        return shipment

    def serve(self, timeout_s: float) -> None:
        """Hear from Kafka: returns with the first news, at the latest after that time. Ships again what it refused."""
        self._client.poll(timeout_s)
        for shipment in [s for s in self._under_way if not s.left]:
            if shipment.refused:
                self._ship_again(shipment)
            else:
                self._under_way.remove(shipment)

    def deliver(self, records: Sequence[Record], may_wait: Callable[[], bool]) -> bool:
        """Whether Kafka has acknowledged every record by the time that ``may_wait`` says no; some of them may be in
        Kafka if not."""
        shipment = self.ship(records)
        while not shipment.has_arrived:
            if not may_wait():
                self.abandon()
                return False
            self.serve(_SERVE_S)
        return True

    def abandon(self) -> None:
        """Forget what is under way; some of it may be in Kafka. An idempotent client does not go on after that."""
        self._client.purge()
        self._client.flush(_PURGE_S)
        self._under_way.clear()
        self._client = self._new_client()

    def _produce(self, shipment: Shipment) -> None:
        produce, on_delivery = self._client.produce, shipment._on_delivery
        for record in shipment.records:
            topic, partition, key, value, headers = record
            while True:
                try:
                    produce(topic, value, key, partition, on_delivery, headers=headers)
                except BufferError:  # the client's queue is full
                    self._client.poll(_FULL_S)
                    continue
                except KafkaException as error:
                    shipment.left -= 1
                    shipment.refused.append((error.args[0], value))
                break

    def _ship_again(self, shipment: Shipment) -> None:
        """All of it: what Kafka refused may lie before what it took."""
        refused, shipment.refused = shipment.refused, []
        error = refused[0][0]
        self._tell(_reason(error))
        if error.fatal():
            self._client = self._new_client()
        time.sleep(_RETRY_S)
        too_large = {value for error, value in refused if error.code() in _TOO_LARGE}
        shipment.records = [self._shrink(r) if r.value in too_large else r for r in shipment.records]
        shipment.left = len(shipment.records)
        self._produce(shipment)

    def _tell(self, why: str) -> None:
        now = time.monotonic()
        if self._told_at is None or now - self._told_at > _TOLD_EVERY_S:
            self._told_at = now
            log.error("Kafka at %s does not take messages: %s", self._access.address, why)

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._tell("no broker can be reached")

    def _new_client(self) -> Any:
        settings = {
            **self._access.librdkafka(),
            "client.id": "transferscope-bridge",
            "acks": "all",
            "enable.idempotence": True,
            "message.timeout.ms": 0,  # for ever
            "message.max.bytes": MAX_RECORD_BYTES,
            "linger.ms": _LINGER_MS,
            "error_cb": self._on_error,
            "logger": _library_log,
            "reconnect.backoff.max.ms": 2_000,
        }
        return Client(settings)


def _reason(error: KafkaError) -> str:
    return str(error.str())
