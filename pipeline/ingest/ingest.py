"""Messages in, committed windows out: decode and enrich (pure), then one transaction (``pipeline.store``)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.ingest.topologies import newest_topology
from pipeline.stages.decode import Dead, decode
from pipeline.stages.enrich import Enriched, Topology, enrich
from pipeline.stages.users import Users
from pipeline.store import programs, topologies
from pipeline.store import settings as stored_settings
from pipeline.store.transaction import Counts, Outdated, Refused, Store
from pipeline.telemetry.watch import Laps, Unwatched, Watch
from pipeline.topology.resolve import Topology as Snapshot
from schemas.envelope import RawMessage
from schemas.rules import Horizon

log = logging.getLogger(__name__)


class BatchResult(NamedTuple):
    """What became of a batch: received = stored + duplicate + dead. A packet of several records counts as so many."""

    received: int
    stored: int
    duplicate: int
    dead: int


class Ingest:
    """A writer. ``prepare`` is pure and may run in another thread than ``commit``; ``process`` does both.

    Every batch is committed whole or not at all, and committing it again changes nothing.
    """

    def __init__(
        self,
        database_url: str,
        retention_days: int = 30,
        address: str = "",
        user_key: bytes | None = None,
        watch: Watch | None = None,
    ) -> None:
        """``address``: of the health page of this process, if it has one. ``user_key``: users are hashed with it;
        without it nothing is stored of them. ``watch`` is told of every batch.
        """
        self._users = Users(user_key)
        self._watch = watch or Unwatched()
        self._store = Store(database_url, address, self._watch)
        self._retention_ms = retention_days * 86_400_000
        self._topology: Topology = Snapshot.empty()
        self._horizon = Horizon(self._retention_ms, None)

    def refresh(self) -> None:
        """Take up a newer topology and the raw floor from the store. Raises Unavailable, and Superseded when the tables
        have become too new for this program."""
        with self._store.reading() as cursor:
            programs.admit(cursor)
            if topologies.latest_revision(cursor) != self._topology.revision:
                self._topology = newest_topology(cursor)
                log.info("topology revision %d is in use", self._topology.revision)
            self._horizon = Horizon(self._retention_ms, stored_settings.raw_floor_ms(cursor))

    def prepare(self, messages: Sequence[RawMessage]) -> Enriched:
        """Decode and enrich a batch; no I/O."""
        horizon = self._horizon
        laps = Laps(self._watch)
        decoded = decode(messages, horizon)
        laps.end("decode")
        enriched = enrich(decoded, self._topology, self._users)
        laps.end("enrich")
        return enriched._replace(raw_floor_ms=horizon.raw_floor_ms)

    def commit(self, messages: Sequence[RawMessage], batch: Enriched) -> BatchResult:
        """Commit a prepared batch. What Postgres refuses becomes a dead letter, its neighbours are stored.

        Raises Unavailable when Postgres is away: the batch can then be committed again later.
        """
        try:
            counts = self._store.commit(batch)
            self._watch.died(letter.reason for letter in batch.dead)
        except Outdated:
            self.refresh()
            return self.commit(messages, self.prepare(messages)._replace(progress=batch.progress))
        except Refused as refused:
            if len(messages) > 1:
                return self._halves(messages)
            log.error("a message is refused by PostgreSQL: %s", refused.why)
            dead = Dead(messages[0], "store_refused", refused.why)
            counts = self._commit_dead(dead)
            self._watch.died([dead.reason])
        return BatchResult(sum(counts), *counts)

    def process(self, messages: Sequence[RawMessage]) -> BatchResult:
        """Refresh, prepare and commit."""
        self.refresh()
        return self.commit(messages, self.prepare(messages))

    def close(self) -> None:
        """Give the connection back."""
        self._store.close()

    def _commit_dead(self, dead: Dead) -> Counts:
        while True:
            revision, floor_ms = self._topology.revision, self._horizon.raw_floor_ms
            try:
                return self._store.commit(Enriched([], [], [], [dead], revision, [], {}, floor_ms))
            except Outdated:
                self.refresh()

    def _halves(self, messages: Sequence[RawMessage]) -> BatchResult:
        middle = len(messages) // 2
        first, second = (self.commit(part, self.prepare(part)) for part in (messages[:middle], messages[middle:]))
        return BatchResult(*(a + b for a, b in zip(first, second, strict=True)))
