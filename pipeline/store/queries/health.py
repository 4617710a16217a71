"""How the store is doing: how fresh each source is, and what waits among the dead letters."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import connection as Connection


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


def open_alerts(connection: Connection) -> int:
    """How many alerts are not cleared, without those that are silenced now."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM report.alert"
            " WHERE cleared_at IS NULL AND (silenced_until IS NULL OR silenced_until <= now())"
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def rules_judged_at(connection: Connection) -> datetime | None:
    """When the rules of alerts were last judged; None: never."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT beat_at FROM report.heartbeat WHERE process = 'alerts'")
        row = cursor.fetchone()
    return row[0] if row else None


class Topology(NamedTuple):
    """The newest topology, and when a load last found it so."""

    revision: int
    confirmed_at: datetime


def topology_in_use(connection: Connection) -> Topology | None:
    """The newest topology; None when none was loaded."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT revision, confirmed_at FROM report.topology ORDER BY revision DESC LIMIT 1")
        row = cursor.fetchone()
        return Topology(*row) if row else None


def finals(connection: Connection) -> dict[str, datetime]:
    """Up to which end the windows of each Kafka topic are final, where any are."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT topic, final_until FROM report.finality WHERE final_until IS NOT NULL")
        return dict(cursor.fetchall())


def server_version(connection: Connection) -> str:
    """The version of PostgreSQL."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        row = cursor.fetchone()
        return str(row[0]) if row else "unknown"
