"""The bulk topics in large reads, with offsets that are committed when the caller says so (aiokafka).

Offsets are hints: the store knows what it holds. One that is committed too late makes the same messages come again,
which changes nothing; one must never be committed before its messages are in the store.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.kafka.records import raw_messages
from schemas.envelope import RawMessage

log = logging.getLogger(__name__)

Partition = tuple[str, int]
"""Topic and partition number."""

_FETCH_BYTES = 16 * 2**20
_PARTITION_FETCH_BYTES = 2**20
"""Bytes that are fetched ahead of use, in all and for a partition: they bound memory. Kafka sends a message that is
larger than that all the same, alone."""
_FETCH_WORTH_BYTES = 256 * 2**10
_FETCH_WAIT_MS = 100
"""Kafka answers when so much is there or so long has passed: a trickle does not become a request a message."""
_SESSION_MS = 6_000
"""A worker that died is missed after this; the others then take over its partitions."""
_HEARTBEAT_MS = 2_000
_REBALANCE_SLACK_S = 0.2
_TAKEN_AWAY = (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
_IDLE_LIMIT_MS = 600_000
"""A worker that reads nothing for so long (Postgres away) leaves the group and comes back with its next read."""


class Chunk(NamedTuple):
    """Messages, how many bytes their bodies have, and for each partition the offset behind the last of them."""

    messages: list[RawMessage]
    size: int
    next_offsets: dict[Partition, int]


class BulkConsumer:
    """A member of a consumer group. Every method but the constructor may raise KafkaAway."""

    def __init__(
        self, access: KafkaAccess, topics: Sequence[str], group: str, before_revoke: Callable[[], Awaitable[None]]
    ) -> None:
        """``before_revoke`` runs before partitions are taken away: the last moment to commit their offsets."""
        self._access = access
        self._consumer = _client(access, group)
        self._consumer.subscribe(topics, listener=_Listener(before_revoke))

    async def start(self) -> None:
        """Join the group; returns when it has given out its partitions."""
        try:
            await self._consumer.start()
        except (KafkaError, OSError) as error:
            raise self._away(error) from error

    async def read(self, most: int, timeout_s: float) -> Chunk:
        """What there is, at most so many messages; waits for the first one, but not longer than the time given."""
        try:
            async with asyncio.timeout(timeout_s + _REBALANCE_SLACK_S):  # it knows no limit while partitions move
                found = await self._consumer.getmany(timeout_ms=max(0, int(timeout_s * 1000)), max_records=most)
        except TimeoutError:
            found = {}
        except KafkaError as error:
            raise self._away(error) from error
        messages: list[RawMessage] = []
        next_offsets: dict[Partition, int] = {}
        for place, records in found.items():
            messages += raw_messages(place.topic, place.partition, records)
            next_offsets[place.topic, place.partition] = records[-1].offset + 1
        return Chunk(messages, sum(len(message.body) for message in messages), next_offsets)

    async def commit(self, next_offsets: Mapping[Partition, int]) -> None:
        """Tell the group how far the store is. Partitions that are no longer ours are left out."""
        assigned = self._consumer.assignment()
        known = {TopicPartition(*place): offset for place, offset in next_offsets.items()}
        offsets = {place: offset for place, offset in known.items() if place in assigned}
        if not offsets:
            return
        try:
            await self._consumer.commit(offsets)
        except _TAKEN_AWAY as error:
            log.debug("partitions were taken away while their offsets were committed: %r", error)
        except KafkaError as error:
            raise self._away(error) from error

    async def ask(self) -> None:
        """Returns when Kafka answers."""
        try:
            await self._consumer.topics()
        except (KafkaError, OSError) as error:
            raise self._away(error) from error

    def partitions(self) -> list[Partition]:
        """The partitions that are ours now."""
        return sorted((place.topic, place.partition) for place in self._consumer.assignment())

    def lag(self, next_offsets: Mapping[Partition, int]) -> int:
        """Messages in our partitions behind these offsets, as far as is known without asking."""
        lag = 0
        for (topic, number), offset in next_offsets.items():
            place = TopicPartition(topic, number)
            if place in self._consumer.assignment():
                lag += max(0, (self._consumer.highwater(place) or 0) - offset)
        return lag

    async def stop(self) -> None:
        """Leave the group and close all connections."""
        await self._consumer.stop()

    def _away(self, error: Exception) -> KafkaAway:
        return KafkaAway(self._access.address, str(error) or type(error).__name__)


def _client(access: KafkaAccess, group: str) -> AIOKafkaConsumer:
    context = access.ssl_context()
    return AIOKafkaConsumer(
        bootstrap_servers=list(access.servers),
        client_id="transferscope-worker",
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_bytes=_FETCH_BYTES,
        fetch_min_bytes=_FETCH_WORTH_BYTES,
        fetch_max_wait_ms=_FETCH_WAIT_MS,
        max_partition_fetch_bytes=_PARTITION_FETCH_BYTES,
        session_timeout_ms=_SESSION_MS,
        heartbeat_interval_ms=_HEARTBEAT_MS,
        max_poll_interval_ms=_IDLE_LIMIT_MS,
        security_protocol="PLAINTEXT" if context is None else "SSL",
        ssl_context=context,
    )


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, before_revoke: Callable[[], Awaitable[None]]) -> None:
        self._before_revoke = before_revoke

    async def on_partitions_revoked(self, revoked: object) -> None:
        await self._before_revoke()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Reading begins at the committed offsets."""
        ours = ", ".join(f"{place.topic}-{place.partition}" for place in sorted(assigned))
        log.info("our partitions: %s", ours or "none, there are more workers than partitions")
