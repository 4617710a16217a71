"""How far back what is kept goes."""

from __future__ import annotations

from datetime import datetime

from psycopg2.extensions import connection as Connection

from pipeline.stages.windows import WIDTHS_MS


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
