"""Single records of Kafka by their references, for people who look at a message (confluent-kafka)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from confluent_kafka import Consumer as Client
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.kafka.records import raw_message
from schemas.envelope import RawMessage
from schemas.topics import KINDS

_library_log = logging.getLogger("librdkafka")

_TOPICS = frozenset(KINDS.values())
_ANSWER_S = 4.0
_NO_GROUP = "transferscope-lookup"
"""The client wants a name, but nothing is subscribed or committed, so no group comes into being."""


def lookup(access: KafkaAccess, references: Sequence[str]) -> dict[str, RawMessage]:
    """The messages at these places (``topic-partition-offset``) as far as Kafka still keeps them.

    References to places outside our topics (a line of a file) have none. Raises KafkaAway.
    """
    places = {reference: place for reference in references if (place := _place(reference)) is not None}
    if not places:
        return {}
    found: dict[str, RawMessage] = {}
    with closing(_client(access)) as client:
        for reference, place in places.items():
            try:
                message = _read(client, access, place)
            except KafkaException as error:
                if error.args[0].code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION):
                    continue
                raise KafkaAway(access.address, str(error.args[0].str())) from error
            if message is not None:
                found[reference] = message
    return found


def _place(reference: str) -> TopicPartition | None:
    topic, *numbers = reference.rsplit("-", 2)
    if topic not in _TOPICS or len(numbers) != 2 or not all(part.isascii() and part.isdigit() for part in numbers):
        return None
    return TopicPartition(topic, int(numbers[0]), int(numbers[1]))


def _read(client: Any, access: KafkaAccess, place: TopicPartition) -> RawMessage | None:
    first, end = client.get_watermark_offsets(TopicPartition(place.topic, place.partition), timeout=_ANSWER_S)
    if not first <= place.offset < end:
        return None
    client.assign([place])
    (record,) = client.consume(1, _ANSWER_S) or (None,)
    if record is None:
        raise KafkaAway(access.address, f"{place.topic}-{place.partition} was not read within {_ANSWER_S:.0f} s")
    if record.error() is not None:
        raise KafkaException(record.error())
    if record.offset() != place.offset:  # deleted since the question before
        return None
    return raw_message(
        record.topic(),
        record.partition(),
        record.offset(),
        record.timestamp()[1],
        record.value() or b"",
        record.headers() or (),
    )


def _client(access: KafkaAccess) -> Any:
    return Client(
        {
            **access.librdkafka(),
            "client.id": "transferscope-web",
            "group.id": _NO_GROUP,
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "logger": _library_log,
        }
    )
