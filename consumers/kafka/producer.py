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
from schemas.topics import MAX_BODY_BYTES

log = logging.getLogger(__name__)
_library_log = logging.getLogger("librdkafka")

MAX_RECORD_BYTES = MAX_BODY_BYTES + 1024 * 1024
"""A body of the largest size with its headers."""
_METADATA_TIMEOUT_S = 10.0
_LOOK_S = 0.25
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


class Producer:
    """Delivers batches; for one thread."""

    def __init__(self, access: KafkaAccess, shrink: Callable[[Record], Record]) -> None:
        """``shrink`` makes a smaller stand-in of a record that Kafka refuses for its size."""
        self._access = access
        self._shrink = shrink
        self._refused: list[tuple[KafkaError, bytes]] = []
        self._told_at: float | None = None
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

    def deliver(self, records: Sequence[Record], may_wait: Callable[[], bool]) -> bool:
        """True once Kafka has acknowledged every record.

        While Kafka is away or refuses, it is tried again for as long as ``may_wait`` says yes; then the answer is
        False, some of the records may be in Kafka, and this producer is of no more use. What is tried again may be
        written twice.
        """
        while True:
            done = all(self._produce(record, may_wait) for record in records)
            while done and self._client.flush(_LOOK_S) > 0:
                done = may_wait()
            if not done:
                self._client.purge()
                return False
            if not self._refused:
                return True
            records = self._after_refusal(records)
            if not may_wait():
                return False

    def _produce(self, record: Record, may_wait: Callable[[], bool]) -> bool:
        topic, partition, key, value, headers = record
        while True:
            try:
                self._client.produce(topic, value, key, partition, headers=headers)
            except BufferError:  # the client's queue is full
                self._client.poll(_LOOK_S)
                if not may_wait():
                    return False
            except KafkaException as error:
                self._refused.append((error.args[0], value))
                return True
            else:
                return True

    def _after_refusal(self, tried: Sequence[Record]) -> Sequence[Record]:
        """What to try again: all of it, because what Kafka refused may lie before what it took."""
        refused, self._refused = self._refused, []
        error = refused[0][0]
        self._tell(_reason(error))
        if error.fatal():
            self._client = self._new_client()
        time.sleep(_RETRY_S)
        too_large = {value for error, value in refused if error.code() in _TOO_LARGE}
        return [self._shrink(record) if record.value in too_large else record for record in tried]

    def _tell(self, why: str) -> None:
        now = time.monotonic()
        if self._told_at is None or now - self._told_at > _TOLD_EVERY_S:
            self._told_at = now
            log.error("Kafka at %s does not take messages: %s", self._access.address, why)

    def _on_delivery(self, error: KafkaError | None, message: Any) -> None:
        if error is not None:
            self._refused.append((error, message.value() or b""))

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._tell("no broker can be reached")

    def _new_client(self) -> Any:
        settings = {
            "bootstrap.servers": self._access.address,
            "client.id": "transferscope-bridge",
            "acks": "all",
            "enable.idempotence": True,
            "message.timeout.ms": 0,  # for ever
            "message.max.bytes": MAX_RECORD_BYTES,
            "delivery.report.only.error": True,
            "on_delivery": self._on_delivery,
            "error_cb": self._on_error,
            "logger": _library_log,
            "reconnect.backoff.max.ms": 2_000,
        }
        if self._access.ca_file is not None:
            settings |= {"security.protocol": "ssl", "ssl.ca.location": str(self._access.ca_file)}
        if self._access.cert_file is not None:
            key_file = self._access.key_file or self._access.cert_file
            settings |= {"ssl.certificate.location": str(self._access.cert_file), "ssl.key.location": str(key_file)}
        return Client(settings)


def _reason(error: KafkaError) -> str:
    return str(error.str())
