"""Single records of Kafka by their places: for people who look at a message, and to see how long one has waited
(confluent-kafka)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

from confluent_kafka import Consumer as Client
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.kafka.places import Place
from consumers.kafka.records import raw_message
from schemas.envelope import RawMessage
from schemas.topics import KINDS

_library_log = logging.getLogger("librdkafka")

_TOPICS = frozenset(KINDS.values())
_ANSWER_S = 4.0
_FETCH_BYTES = 16_384
_NO_GROUP = "transferscope-lookup"
"""The client wants a name, but nothing is subscribed or committed, so no group comes into being."""


def lookup(access: KafkaAccess, references: Sequence[str]) -> dict[str, RawMessage]:
    """The messages at these places (``topic-partition-offset``) as far as Kafka still keeps them.

    References to places outside our topics (a line of a file) have none. Raises KafkaAway.
    """
    places = {reference: place for reference in references if (place := _place(reference)) is not None}
    found = dict(_records(access, places.values()))
    return {
        reference: raw_message(*place, record.timestamp()[1], record.value() or b"", record.headers() or ())
        for reference, place in places.items()
        if (record := found.get(place)) is not None
    }


def written_at(access: KafkaAccess, places: Iterable[Place]) -> dict[Place, float]:
    """When the records at these places were written, in seconds since the epoch, as far as Kafka still keeps them.

    Raises KafkaAway.
    """
    return {place: record.timestamp()[1] / 1000 for place, record in _records(access, places)}


def _place(reference: str) -> Place | None:
    topic, *numbers = reference.rsplit("-", 2)
    if topic not in _TOPICS or len(numbers) != 2 or not all(part.isascii() and part.isdigit() for part in numbers):
        return None
    return topic, int(numbers[0]), int(numbers[1])


def _records(access: KafkaAccess, places: Iterable[Place]) -> Iterator[tuple[Place, Any]]:
    wanted = dict.fromkeys(places)
    if not wanted:
        return
    with closing(_client(access)) as client:
        for place in wanted:
            try:
                record = _read(client, access, *place)
            except KafkaException as error:
                if error.args[0].code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION):
                    continue
                raise KafkaAway(access.address, str(error.args[0].str())) from error
            if record is not None:
                yield place, record


def _read(client: Any, access: KafkaAccess, topic: str, partition: int, offset: int) -> Any:
    first, end = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ANSWER_S)
    if not first <= offset < end:
        return None
    client.assign([TopicPartition(topic, partition, offset)])
    (record,) = client.consume(1, _ANSWER_S) or (None,)
    if record is None:
        raise KafkaAway(access.address, f"{topic}-{partition} was not read within {_ANSWER_S:.0f} s")
    if record.error() is not None:
        raise KafkaException(record.error())
    return record if record.offset() == offset else None  # deleted since the question before


def _client(access: KafkaAccess) -> Any:
    return Client(
        {
            **access.librdkafka(),
            "client.id": "transferscope-lookup",
            "group.id": _NO_GROUP,
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            # One record of each place is wanted, and what is fetched beyond it thrown away.
            "queued.min.messages": 1,
            "fetch.message.max.bytes": _FETCH_BYTES,
            "fetch.queue.backoff.ms": 1,  # the queue is full after each of them
            "fetch.wait.max.ms": 10,  # at the end of a partition the next place would wait for nothing
            "logger": _library_log,
        }
    )
