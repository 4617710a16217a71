"""What came into a Kafka topic since a test began."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, Self

from confluent_kafka import OFFSET_END, Consumer, TopicPartition


class Found(NamedTuple):
    """A record as it was written."""

    partition: int
    key: str
    value: bytes
    headers: dict[str, bytes]

    @property
    def message_id(self) -> str:
        return self.headers["stomp.message-id"].decode()


class KafkaReader:
    """Reads everything that is written to the topic from the beginning of the context on."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.found: list[Found] = []
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "test-reader",
                "enable.auto.commit": False,
                "fetch.message.max.bytes": 32 * 2**20,
                "receive.message.max.bytes": 100 * 2**20,
            }
        )
        metadata = self._consumer.list_topics(topic, timeout=30).topics[topic]
        self.partitions = len(metadata.partitions)
        places = [TopicPartition(topic, number) for number in metadata.partitions]
        ends = [self._consumer.get_watermark_offsets(place, timeout=30)[1] for place in places]
        self._consumer.assign(
            [TopicPartition(topic, place.partition, end) for place, end in zip(places, ends, strict=True)]
        )
        assert OFFSET_END not in ends
        self._next = dict(zip((place.partition for place in places), ends, strict=True))
        self._topic = topic

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def read_until(self, condition: Callable[[list[Found]], bool], within_s: float = 60) -> list[Found]:
        """Reads on until the condition holds of all that came; AssertionError when it does not in time."""
        deadline = time.monotonic() + within_s
        while not condition(self.found):
            assert time.monotonic() < deadline, f"not within {within_s} s; {len(self.found)} records came"
            self._read(0.1)
        return self.found

    def read_rest(self) -> list[Found]:
        """All that has been written by now, by the ends of the partitions: a broker that is back may be slow."""
        places = [TopicPartition(self._topic, number) for number in self._next]
        ends = {place.partition: self._consumer.get_watermark_offsets(place, timeout=30)[1] for place in places}
        return self.read_until(lambda _: all(self._next[number] >= end for number, end in ends.items()))

    def _read(self, timeout_s: float) -> int:
        messages = self._consumer.consume(1000, timeout_s)
        for message in messages:
            assert message.error() is None, message.error()
            self.found.append(_found(message))
            partition, offset = message.partition(), message.offset()
            assert partition is not None
            assert offset is not None
            self._next[partition] = offset + 1
        return len(messages)


def _found(message: Any) -> Found:
    return Found(message.partition(), message.key().decode(), message.value() or b"", dict(message.headers() or ()))
