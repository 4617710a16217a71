"""Whether windows changed, asked for less than the windows themselves."""

from __future__ import annotations

from typing import NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.instants import to_datetime


class Revision(NamedTuple):
    """What a change of the windows of a range changes too.

    ``rows`` and ``final`` count windows, ``stale`` those that wait for a recompute; ``updated_at`` is the newest change
    (ISO 8601, to the µs), None for no windows.
    """

    rows: int
    final: int
    stale: int
    updated_at: str | None


def revision(connection: Connection, width: str, from_ms: int, to_ms: int) -> Revision:
    """The revision of the link windows of ``width`` that start in the range (ms)."""
    with connection, connection.cursor() as cursor:
        return revision_of(cursor, width, from_ms, to_ms)


def revision_of(cursor: Cursor, width: str, from_ms: int, to_ms: int) -> Revision:
    """The same, in the transaction that is under way."""
    if width not in WIDTHS_MS:
        raise ValueError(width)
    cursor.execute(
        "SELECT count(*), count(final_at), count(*) FILTER (WHERE stale), max(updated_at)"
        f" FROM report.link_{width} WHERE window_start >= %s AND window_start < %s",
        (to_datetime(from_ms), to_datetime(to_ms)),
    )
    row = cursor.fetchone()
    assert row is not None
    rows, final, stale, updated_at = row
    return Revision(int(rows), int(final), int(stale), None if updated_at is None else updated_at.isoformat())
