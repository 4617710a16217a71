"""A delivered message as a Kafka record: body untouched, all headers kept, placed by its transfer key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from consumers.kafka.producer import Record
from consumers.stomp.frames import Delivery
from schemas.keys import partition_of, routing_key
from schemas.topics import KINDS, MAX_BODY_BYTES

KEPT_BYTES = 1024 * 1024
"""What is kept of a body that is too large for Kafka."""

_MS_DIGITS = 15
_names: dict[str, str] = {}
_NAMES_KEPT = 1000


class Source:
    """What is the same for all messages of a subscription: broker (host:port), broker topic, kind of message, and the
    number of partitions of its Kafka topic."""

    def __init__(self, origin: str, topic: str, kind: str, partitions: int) -> None:
        self.topic = topic
        self.kafka_topic = KINDS[kind]
        self.partitions = partitions
        self.said = (("kind", kind), ("origin", origin), ("destination", topic))


def record_of(message: Delivery, source: Source, now_ms: int) -> Record:
    """The record of a message. ``now_ms`` counts as its receipt where the broker's ``timestamp`` is unreadable.

    Its key is the transfer key, so that all messages of a transfer share a partition, else the message-id.
    """
    headers, body = message
    key = routing_key(body) or headers.get("message-id", b"").decode(errors="replace")
    stamp = headers.get("timestamp", b"")
    received = stamp if stamp.isdigit() and len(stamp) <= _MS_DIGITS else str(now_ms)
    said: list[tuple[str, bytes | str]] = [*source.said, ("received-at", received)]
    said += [(_names.get(name) or _prefixed(name), value) for name, value in headers.items()]
    record = Record(source.kafka_topic, partition_of(key, source.partitions), key, body, said)
    return record if len(body) <= MAX_BODY_BYTES else too_large(record)


def too_large(record: Record) -> Record:
    """The stand-in of a record that Kafka would not take: the beginning of its body and what the whole was.

    A record that is no longer than that comes back as it is.
    """
    body = record.value
    if len(body) <= KEPT_BYTES:
        return record
    marks = [("dead-reason", "too_large"), ("size", str(len(body))), ("sha256", hashlib.sha256(body).hexdigest())]
    return record._replace(value=body[:KEPT_BYTES], headers=[*marks, *record.headers])


def sources(origin: str, topics: Mapping[str, str], partitions: Mapping[str, int]) -> dict[bytes, Source]:
    """A source for each broker topic, by the id of its subscription: its place in ``topics``."""
    return {
        b"%d" % place: Source(origin, topic, kind, partitions[KINDS[kind]])
        for place, (topic, kind) in enumerate(topics.items())
    }


def _prefixed(name: str) -> str:
    prefixed = f"stomp.{name}"
    if len(_names) < _NAMES_KEPT:
        _names[name] = prefixed
    return prefixed
