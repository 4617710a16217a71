"""Who waits for whom. Writers share the topology and the days whose windows they touch, and own the shards of their
transfer keys; ``recompute`` shares the topology and owns days; a load owns the topology, and so does who raises
the raw floor: both change what batches must be prepared with. Every holder asks for the topology first, then days, then
shards, each rising, so nobody waits in a circle.
"""

from __future__ import annotations

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.stages.enrich import Enriched
from schemas.events import FTS, Complete
from schemas.keys import shard_of
from schemas.topics import SHARDS

DAY_MS = 86_400_000
_DAYS = 0x7473_6461
_SHARDS = 0x7473_7368
_TOPOLOGY = 0x7473_746F


def lock_batch(cursor: Cursor, batch: Enriched) -> None:
    """Share the topology and the batch's days, and own its shards, until the transaction ends."""
    share_topology(cursor)
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, d) FROM unnest(%s::int[]) AS d", (_DAYS, days_of(batch)))
    shards = {shard_of(new.start.key_hash) for new in batch.starts}
    shards |= {_shard(new.complete) for new in batch.completes}
    shards |= {shard_of(new.change.key_hash) for new in batch.states}
    cursor.execute("SELECT pg_advisory_xact_lock(%s, s) FROM unnest(%s::int[]) AS s", (_SHARDS, sorted(shards)))


def _shard(complete: Complete) -> int:
    """Records of no transfer key have shards of their own: they come by message-id, a batch may need all of these, and
    must not keep away those who wait for a transfer key's.
    """
    shard = shard_of(complete.key_hash)
    return shard if complete.technology == FTS else SHARDS + shard


def take_turn(connection: Connection, number: int) -> bool:
    """Whether nobody else is at the work of that number; then nobody is until the connection ends. In a transaction of
    its own, so that the turn holds no snapshot that others wait for."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (number,))
        return cursor.fetchone() == (True,)


def share_day(cursor: Cursor, day: int) -> None:
    """Keep ``recompute`` out of a day, given as number since the epoch."""
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", (_DAYS, day))


def share_topology(cursor: Cursor) -> None:
    """Keep loads of another topology waiting, and who raises the raw floor."""
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", (_TOPOLOGY,))


def own_topology(cursor: Cursor) -> None:
    """Wait until nobody writes with the topology and the raw floor in use, and keep everybody from beginning to."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_TOPOLOGY,))


def own_shard(cursor: Cursor, shard: int) -> None:
    """Keep writers away from the transfer keys of a shard."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_SHARDS, shard))


def own_days(cursor: Cursor, days: list[int]) -> None:
    """Keep every writer out of the windows of these days, given as rising numbers since the epoch."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s, d) FROM unnest(%s::int[]) AS d", (_DAYS, days))


def days_of(batch: Enriched) -> list[int]:
    """The days, as numbers since the epoch, whose rows and windows a batch touches."""
    days = {new.start.event_ms // DAY_MS for new in batch.starts}
    days |= {new.change.event_ms // DAY_MS for new in batch.states}
    days |= {report.event_ms // DAY_MS for report in batch.reports}
    for new in batch.completes:
        complete = new.complete
        days.add(complete.event_ms // DAY_MS)
        if complete.moved_to_ms:
            days.update(range(complete.moved_from_ms // DAY_MS, (complete.moved_to_ms - 1) // DAY_MS + 1))
    return sorted(days)
