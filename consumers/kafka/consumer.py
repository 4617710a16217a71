"""The bulk topics in large batches, with offsets that are committed when the caller says so (confluent-kafka).

Offsets are hints: the store knows what it holds. One that is committed too late makes the same messages come again,
which changes nothing; one must never be committed before its messages are in the store.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, NamedTuple

from confluent_kafka import Consumer as Client
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.kafka.gather import Limits, gather
from consumers.kafka.records import origin_of, raw_message
from consumers.thread import WorkThread
from pipeline.stages.finality import Source
from schemas.envelope import RawMessage

log = logging.getLogger(__name__)
_library_log = logging.getLogger("librdkafka")

Partition = tuple[str, int]
"""Topic and partition number."""

_AHEAD_KIB = 12 * 2**10
_AHEAD_MESSAGES = 6_000
"""What is fetched ahead of use: it bounds memory. Kafka sends a message that is larger all the same, alone."""
_FULL_MS = 20
"""How soon to look whether there is room again; the client's own second would make the worker wait."""
_FETCH_WORTH_BYTES = 256 * 2**10
_FETCH_WAIT_MS = 100
"""Kafka answers when so much is there or so long has passed: a trickle does not become a request a message."""
_SESSION_MS = 6_000
"""A worker that died is missed after this; the others then take over its partitions."""
_HEARTBEAT_MS = 2_000
_IDLE_LIMIT_MS = 60_000
"""A worker that reads nothing for so long (Postgres away) leaves the group and comes back with its next read. Until
then it holds up the others whenever partitions move."""
_RECONNECT_MS = 2_000
_ANSWER_S = 4.0
_REVOKE_LIMIT_S = 10.0
_TAKEN_AWAY = (
    KafkaError._NO_OFFSET,
    KafkaError._STATE,
    KafkaError._ASSIGNMENT_LOST,
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.UNKNOWN_MEMBER_ID,
)


class Chunk(NamedTuple):
    """Messages, how many bytes their bodies have, for each partition the offset behind the last of them, and the newest
    receipt time (ms) of each broker in it."""

    messages: list[RawMessage]
    size: int
    next_offsets: dict[Partition, int]
    progress: dict[Source, int]


class BulkConsumer:
    """A member of a consumer group. Every method but the constructor may raise KafkaAway.

    The client blocks, so it has two threads: one that reads and is told when partitions move, one for questions and
    offsets, which must go on meanwhile.
    """

    def __init__(
        self, access: KafkaAccess, topics: Sequence[str], group: str, before_revoke: Callable[[], Awaitable[None]]
    ) -> None:
        """``before_revoke`` runs before partitions are taken away: the last moment to commit their offsets."""
        self._access = access
        self._topics = list(topics)
        self._before_revoke = before_revoke
        self._client = Client(_settings(access, group))
        self._assigned: frozenset[Partition] = frozenset()
        self._loop: asyncio.AbstractEventLoop
        self._reading = WorkThread("kafka-read")
        self._asking = WorkThread("kafka-ask")

    async def start(self) -> None:
        """Join the group, which then gives out its partitions."""
        self._loop = asyncio.get_running_loop()
        # The client would look for a topic that is missing without a pause.
        await self._asking.run(self._find_topics)
        self._client.subscribe(self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke)

    async def read(self, limits: Limits, wait_s: float) -> Chunk:
        """A batch; waits for its first message, but not longer than the time given."""
        return await self._reading.run(lambda: self._read(limits, wait_s))

    async def commit(self, next_offsets: Mapping[Partition, int]) -> dict[Partition, int]:
        """Tell the group how far the store is; what of it Kafka has taken. It takes nothing while partitions move, and
        those that are no longer ours are left out."""
        offsets = [TopicPartition(*place, offset) for place, offset in next_offsets.items() if place in self._assigned]
        return await self._asking.run(lambda: self._commit(offsets)) if offsets else {}

    async def ask(self) -> None:
        """Returns when Kafka answers and has our topics."""
        await self._asking.run(self._find_topics)

    async def stop(self) -> None:
        """Leave the group and close all connections."""
        self._asking.close(lambda: None)
        try:
            await self._reading.run(self._client.close)
        finally:
            self._reading.close(lambda: None)

    def _read(self, limits: Limits, wait_s: float) -> Chunk:
        messages: list[RawMessage] = []
        next_offsets: dict[Partition, int] = {}
        newest: dict[tuple[str, int, bytes], int] = {}
        size = 0
        for record in gather(self._poll, limits, wait_s):
            topic, partition, offset, body = record.topic(), record.partition(), record.offset(), record.value() or b""
            message = raw_message(topic, partition, offset, record.timestamp()[1], body, record.headers() or ())
            messages.append(message)
            next_offsets[topic, partition] = offset + 1
            size += len(body)
            source = topic, partition, origin_of(message)
            received_ms = message.received_ms or 0
            if received_ms > newest.get(source, 0):
                newest[source] = received_ms
        progress = {
            Source(topic, partition, origin.decode(errors="replace")): received_ms
            for (topic, partition, origin), received_ms in newest.items()
        }
        return Chunk(messages, size, next_offsets, progress)

    def _poll(self, most: int, wait_s: float) -> list[Any]:
        try:
            found = self._client.consume(most, wait_s)
        except KafkaException as error:
            raise self._away(error.args[0]) from error
        records = [record for record in found if record.error() is None]
        if len(records) < len(found):
            for complaint in filter(None, (record.error() for record in found)):
                if complaint.code() != KafkaError._MAX_POLL_EXCEEDED:
                    raise self._away(complaint)
                log.info("read nothing for %d s and left the group; joining it again", _IDLE_LIMIT_MS // 1000)
        return records

    def _commit(self, offsets: list[TopicPartition]) -> dict[Partition, int]:
        try:
            taken = self._client.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            if error.args[0].code() not in _TAKEN_AWAY:
                raise self._away(error.args[0]) from error
            log.debug("partitions were taken away while their offsets were committed: %r", error)
            return {}
        return {(place.topic, place.partition): place.offset for place in taken if place.error is None}

    def _find_topics(self) -> None:
        try:
            there = self._client.list_topics(timeout=_ANSWER_S).topics
        except KafkaException as error:
            raise self._away(error.args[0]) from error
        for topic in self._topics:
            if topic not in there:
                raise KafkaAway(self._access.address, f"it has no topic {topic}; transferscope init makes it")

    def _on_assign(self, client: Any, places: list[TopicPartition]) -> None:
        """Reading begins at the committed offsets."""
        self._assigned = frozenset((place.topic, place.partition) for place in places)
        ours = ", ".join(f"{topic}-{number}" for topic, number in sorted(self._assigned))
        log.info("our partitions: %s", ours or "none, there are more workers than partitions")

    def _on_revoke(self, client: Any, places: list[TopicPartition]) -> None:
        async def prepare() -> None:
            await self._before_revoke()

        with suppress(TimeoutError, CancelledError):
            asyncio.run_coroutine_threadsafe(prepare(), self._loop).result(_REVOKE_LIMIT_S)
        self._assigned = frozenset()

    def _away(self, error: KafkaError) -> KafkaAway:
        return KafkaAway(self._access.address, str(error.str()))


def _settings(access: KafkaAccess, group: str) -> dict[str, Any]:
    return {
        **access.librdkafka(),
        "client.id": "transferscope-worker",
        "group.id": group,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "queued.max.messages.kbytes": _AHEAD_KIB,
        "queued.min.messages": _AHEAD_MESSAGES,
        "fetch.queue.backoff.ms": _FULL_MS,
        "fetch.min.bytes": _FETCH_WORTH_BYTES,
        "fetch.wait.max.ms": _FETCH_WAIT_MS,
        "session.timeout.ms": _SESSION_MS,
        "heartbeat.interval.ms": _HEARTBEAT_MS,
        "max.poll.interval.ms": _IDLE_LIMIT_MS,
        "reconnect.backoff.max.ms": _RECONNECT_MS,
        "logger": _library_log,
    }
