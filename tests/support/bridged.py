"""Kafka's bulk topics as a bridge leaves them, without a broker: emptied, and filled with simulated messages."""

from __future__ import annotations

from collections.abc import Iterable

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupIdNotFoundError,
    NonEmptyGroupError,
)

from consumers.bridge.mapping import Source, record_of
from consumers.kafka import admin
from consumers.kafka.access import KafkaAccess
from consumers.kafka.producer import Record
from consumers.stomp.frames import Delivery
from consumers.worker.config import GROUP
from pipeline.simulator import SimMessage
from schemas.topics import BROKER_TOPICS, FTS_TRANSFER
from tests.support.waiting import eventually

_ALL = -1
ORIGIN = "mb1.example.org:61613"


def empty_topics(access: KafkaAccess, partitions: int) -> None:
    """Topics without a message, and a worker group that has never read them. Killed workers must be missed first."""
    admin.ensure_topics(access, partitions)
    places = [TopicPartition(FTS_TRANSFER, number) for number in range(partitions)]
    client = KafkaAdminClient(bootstrap_servers=list(access.servers))
    try:
        client.delete_records(dict.fromkeys(places, _ALL))
        eventually(lambda: _is_gone(client, GROUP), 60)
    finally:
        client.close()
    assert lag(access) == 0


def _is_gone(client: KafkaAdminClient, group: str) -> bool:
    try:
        client.delete_groups([group])
    except (NonEmptyGroupError, CoordinatorNotAvailableError, CoordinatorLoadInProgressError):
        return False
    except GroupIdNotFoundError:
        pass
    return True


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
    return sum(offsets.lag for offsets in admin.lag(access, GROUP, [FTS_TRANSFER]).values())
