"""Simulated messages as a bridge leaves them in Kafka, without a broker."""

from __future__ import annotations

from collections.abc import Iterable

from consumers.bridge.mapping import Source, record_of
from consumers.kafka import groups
from consumers.kafka.access import KafkaAccess
from consumers.kafka.producer import Record
from consumers.kafka.records import raw_message
from consumers.stomp.frames import Delivery
from consumers.worker.config import GROUP
from pipeline.simulator import SimMessage
from schemas.envelope import RawMessage
from schemas.topics import BROKER_TOPICS, FTS_TRANSFER

ORIGIN = "mb1.example.org:61613"


def records(messages: Iterable[SimMessage], partitions: int) -> list[Record]:
    """What a bridge makes of them; each has a message-id of its own."""
    sources = {topic: Source(ORIGIN, topic, kind, partitions) for topic, kind in BROKER_TOPICS.items()}
    found = []
    for number, message in enumerate(messages):
        headers = {name: text.encode() for name, text in message.headers.items()}
        headers |= {"message-id": b"ID:mb1-%d" % number, "content-length": b"%d" % len(message.body)}
        found.append(record_of(Delivery(headers, message.body), sources[message.topic], message.received_ms))
    return found


def lag(access: KafkaAccess) -> int:
    """Messages that the workers have not told Kafka to have committed."""
    return sum(offsets.lag for offsets in groups.lag(access, GROUP, [FTS_TRANSFER]).values())


def read(found: Iterable[Record]) -> list[RawMessage]:
    """The same messages as a worker reads them, in one partition."""
    return [_read(number, record) for number, record in enumerate(found)]


def _read(offset: int, record: Record) -> RawMessage:
    headers = [(name, text.encode() if isinstance(text, str) else text) for name, text in record.headers]
    return raw_message(record.topic, 0, offset, 1, record.value, headers)
