"""How long rows are kept, and dropping those that are older: whole partitions, never single rows.

The raw floor goes first, in a transaction of its own that owns the topology (``locks.py``): it waits for the batches
under way, and every later one finds that it was prepared with another floor and is prepared anew. So when the first
partition goes nobody writes below the floor any more, no window there can change, and nobody makes a partition there
(``partitions.py``). Each drop is a transaction that waits for its table for a second at most, because everybody who
comes to the table meanwhile waits behind it; what is left is dropped in the next run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.store import locks, settings
from pipeline.store.partitions import BASE, DAY_MS, HOURLY, RAW, Partition, existing, own_making

log = logging.getLogger(__name__)


class Oldest(NamedTuple):
    """Where what is kept begins, in ms since the epoch: single messages, base windows, hourly windows."""

    raw_ms: int
    base_ms: int
    hourly_ms: int


class Retention(NamedTuple):
    """Days that single messages, base windows and hourly windows are kept; daily windows are kept for ever."""

    raw_days: int = 30
    base_days: int = 90
    hourly_days: int = 730

    def oldest(self, now_ms: int) -> Oldest:
        """What is kept at an instant: whole days, so that a partition goes when its last row is old enough."""
        today_ms = now_ms - now_ms % DAY_MS
        return Oldest(*(today_ms - days * DAY_MS for days in self))

    def is_ordered(self) -> bool:
        """Windows are kept at least as long as what they are made of: nobody could write below them otherwise."""
        return self.raw_days <= self.base_days <= self.hourly_days


def database_clock(connection: Connection) -> int:
    """The time of the database, in ms since the epoch."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])


def drop(connection: Connection, oldest: Oldest) -> int:
    """Drop all partitions that end before what is kept; how many. Raises psycopg2's LockNotAvailable: run it again."""
    with connection, connection.cursor() as cursor:
        due = list(too_old(cursor, oldest))
    if not due:
        return 0
    floor_ms = _raise_floor(connection, max(part.end_ms for part in due))
    with connection, connection.cursor() as cursor:
        parts = [part for part in too_old(cursor, oldest) if part.end_ms <= floor_ms]
    for part in parts:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT store.drop_partition(%s)", (part.name,))
        log.info("%s was dropped: it is older than what is kept", part.name)
    return len(parts)


def _raise_floor(connection: Connection, floor_ms: int) -> int:
    """Writers and makers of partitions go on above it; the floor that holds now."""
    with connection, connection.cursor() as cursor:
        known_ms = settings.raw_floor_ms(cursor)
        if known_ms is not None and floor_ms <= known_ms:
            return known_ms  # a run before this one did not come to the end
        locks.own_topology(cursor)
        own_making(cursor)
        settings.raise_raw_floor(cursor, floor_ms)
        return floor_ms


def too_old(cursor: Cursor, oldest: Oldest) -> Iterator[Partition]:
    """The partitions that end before what is kept."""
    for tables, limit_ms in zip((RAW, BASE, HOURLY), oldest, strict=True):
        yield from (part for part in existing(cursor, tables) if part.end_ms <= limit_ms)
