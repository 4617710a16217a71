"""How far back what is kept goes, and whether anything came in a time."""

from __future__ import annotations

from datetime import datetime

from psycopg2.extensions import connection as Connection

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.instants import to_datetime


def oldest_windows(connection: Connection, width: str) -> datetime | None:
    """The start of the oldest link window of ``width``, None for no windows; raises ValueError for another width."""
    if width not in WIDTHS_MS:
        raise ValueError(width)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT min(window_start) FROM report.link_{width}")
        row = cursor.fetchone()
    assert row is not None
    oldest: datetime | None = row[0]
    return oldest


def is_heard(connection: Connection, from_ms: int, to_ms: int) -> bool:
    """Whether any message of any source was received in windows that start in the range (ms)."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM report.source_10m WHERE window_start >= %s AND window_start < %s)",
            (to_datetime(from_ms), to_datetime(to_ms)),
        )
        row = cursor.fetchone()
    return bool(row and row[0])
