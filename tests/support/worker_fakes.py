"""A Kafka and a store in memory, which can be away, slow or broken."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from consumers.kafka.access import KafkaAway
from consumers.kafka.consumer import Chunk, Partition
from consumers.kafka.gather import Limits
from pipeline.ingest import BatchResult
from pipeline.stages.enrich import Enriched
from pipeline.store.session import Unavailable
from schemas.envelope import RawMessage

TOPIC = "fts.transfer"


def message(partition: int, offset: int, size: int = 2) -> RawMessage:
    ref = f"{TOPIC}-{partition}-{offset}"
    return RawMessage("fts.start", "transfer.fts_monitoring_start", b" " * size, {}, 1, ref, ref)


class Log:
    """One Kafka topic. What is ``committed`` outlives every reader."""

    def __init__(self, *partitions: int) -> None:
        self.ends = list(partitions)
        self.committed: dict[Partition, int] = {}
        self.body_size = 2
        self.away = False
        self.moves = False
        """Partitions are given out anew: no offset is taken meanwhile."""
        self.readers = 0
        self.left = 0
        self.commits: list[dict[Partition, int]] = []
        self.answers_after_s = 0.0

    def open(self, before_revoke: Callable[[], Awaitable[None]]) -> Reader:
        return Reader(self, before_revoke)


class Reader:
    def __init__(self, log: Log, before_revoke: Callable[[], Awaitable[None]]) -> None:
        self._log = log
        self.before_revoke = before_revoke
        self._next: dict[Partition, int] = {}

    async def start(self) -> None:
        self._check()
        self._log.readers += 1
        self.begin()

    def begin(self) -> None:
        """Reading begins where the group is, as after every rebalance."""
        self._next = {(TOPIC, n): self._log.committed.get((TOPIC, n), 0) for n in range(len(self._log.ends))}

    async def read(self, limits: Limits, wait_s: float) -> Chunk:
        self._check()
        messages: list[RawMessage] = []
        offsets: dict[Partition, int] = {}
        for place, begin in self._next.items():
            end = min(begin + limits.most - len(messages), self._log.ends[place[1]])
            if end > begin:
                messages += [message(place[1], n, self._log.body_size) for n in range(begin, end)]
                offsets[place] = end
        self._next |= offsets
        await asyncio.sleep(0 if messages else min(wait_s, 0.01))
        return Chunk(messages, sum(len(each.body) for each in messages), offsets, {})

    async def commit(self, next_offsets: Mapping[Partition, int]) -> dict[Partition, int]:
        self._check()
        moves = self._log.moves  # as it is when the request is sent: the answer comes later
        self._log.commits.append(dict(next_offsets))
        await asyncio.sleep(self._log.answers_after_s)
        if moves:
            return {}
        self._log.committed |= next_offsets
        return dict(next_offsets)

    async def ask(self) -> None:
        self._check()

    async def stop(self) -> None:
        self._log.left += 1

    def _check(self) -> None:
        if self._log.away:
            raise KafkaAway("kafka:9092", "nobody there")


class Store:
    """What ``Ingest`` does, in a list. Not to be used by two threads at once, which it notices."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.away = False
        self.attempts = 0
        self.refreshed = 0
        self.bug: Exception | None = None
        self.hold = threading.Event()
        self.hold.set()
        self.takes_s = 0.0
        self.is_closed = False
        self._busy = threading.Lock()

    @property
    def refs(self) -> list[str]:
        return [ref for batch in self.batches for ref in batch]

    def refresh(self) -> None:
        with self._alone():
            self._check()
            self.refreshed += 1

    def prepare(self, messages: Sequence[RawMessage]) -> Enriched:
        return Enriched([], [], [], [], len(messages), [], {})

    def commit(self, messages: Sequence[RawMessage], batch: Enriched) -> BatchResult:
        with self._alone():
            self.attempts += 1
            self.hold.wait(20)
            time.sleep(self.takes_s)
            self._check()
            if self.bug is not None:
                raise self.bug
            assert batch.topology_revision == len(messages)
            known = set(self.refs)
            self.batches.append([each.ref for each in messages])
            new = sum(1 for each in messages if each.ref not in known)
            return BatchResult(len(messages), new, len(messages) - new, 0)

    def close(self) -> None:
        self.is_closed = True

    def _check(self) -> None:
        if self.away:
            raise Unavailable("PostgreSQL", "postgres:5432/x", "nobody there")

    def _alone(self) -> threading.Lock:
        assert not self._busy.locked(), "two threads use the connection at once"
        return self._busy
