"""Many records into Kafka at once: for benchmarks, replays and tests, where a failure simply ends the work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Producer as Client

from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.kafka.producer import MAX_RECORD_BYTES, Record

_FULL_S = 0.2
_CRITICAL = 2
_LIMIT_S = 60.0


class _Failures:
    """The first thing that went wrong."""

    def __init__(self) -> None:
        self.first: KafkaError | None = None

    def note(self, error: KafkaError | None, message: Any) -> None:
        self.first = self.first or error


def feed(access: KafkaAccess, records: Iterable[Record]) -> int:
    """How many were written, all of them acknowledged. Raises KafkaAway when one is not within a minute, or refused."""
    failures = _Failures()
    client = Client(_settings(access))
    number = 0
    for topic, partition, key, value, headers in records:
        while failures.first is None:
            try:
                client.produce(topic, value, key, partition, headers=list(headers), on_delivery=failures.note)
            except BufferError:
                client.poll(_FULL_S)
            except KafkaException as error:
                failures.note(error.args[0], None)
            else:
                number += 1
                break
        client.poll(0)
    left = client.flush(_LIMIT_S)
    if failures.first is not None or left:
        why = str(failures.first.str()) if failures.first else f"{left} records were not acknowledged"
        raise KafkaAway(access.address, why)
    return number


def _settings(access: KafkaAccess) -> dict[str, Any]:
    return {
        **access.librdkafka(),
        "client.id": "transferscope-feed",
        "acks": "all",
        "linger.ms": 20,
        "log_level": _CRITICAL,  # what matters comes as an exception
        "message.timeout.ms": int(_LIMIT_S * 1000),
        "message.max.bytes": MAX_RECORD_BYTES,
    }
