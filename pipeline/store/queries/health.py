"""How the store is doing: how fresh each source is, and what waits among the dead letters."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import connection as Connection

from pipeline.store.queries.instants import to_datetime


class Freshness(NamedTuple):
    """The newest that was heard of a source: an FTS instance, or a topic whose messages name none."""

    source: str
    last_event_at: datetime | None
    last_received_at: datetime | None
    last_committed_at: datetime


def freshness(connection: Connection) -> list[Freshness]:
    """Every source, the one that was silent the longest first."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT source, last_event_at, last_received_at, last_committed_at FROM report.freshness"
            " ORDER BY last_received_at NULLS FIRST, source"
        )
        return [Freshness(*row) for row in cursor.fetchall()]


def waiting_dead_letters(connection: Connection) -> dict[str, int]:
    """How many dead letters were never used, by reason."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT reason, count(*) FROM report.dead_letter WHERE replayed_at IS NULL GROUP BY reason ORDER BY reason"
        )
        return {reason: int(number) for reason, number in cursor.fetchall()}


def server_version(connection: Connection) -> str:
    """The version of PostgreSQL."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        row = cursor.fetchone()
        return str(row[0]) if row else "unknown"


class Heard(NamedTuple):
    """What was heard of a source in a range of receipt windows, in messages."""

    source: str
    received: int
    stored: int
    duplicate: int
    dead: int


def heard(connection: Connection, from_ms: int, to_ms: int) -> list[Heard]:
    """Every source that was heard in the range (ms), by name."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT source, sum(received), sum(stored), sum(duplicate), sum(dead) FROM report.source_10m"
            " WHERE window_start >= %s AND window_start < %s GROUP BY source ORDER BY source",
            (to_datetime(from_ms), to_datetime(to_ms)),
        )
        return [Heard(source, *map(int, counts)) for source, *counts in cursor.fetchall()]
