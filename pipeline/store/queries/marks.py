"""Whether windows changed, for tags: asked for far less than the windows, or their revision.

A window whose end was declared final, and did not change since, is told by the time of that alone: a batch that adds to
it notes the end as changed before it commits (``finality.py``). Only windows that wait to be declared are looked at.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg2.extensions import connection as Connection

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.instants import to_datetime


class Mark(NamedTuple):
    """What a change of the windows of a range changes too.

    ``ends`` counts ends of windows, of each topic apart, ``declared_at`` is when one was last declared final and
    ``topology`` the newest topology, which may have made windows stale. ``waiting`` are the starts of the windows that
    wait to be declared, with the number of their ``rows`` and the newest change of those.
    """

    ends: int
    declared_at: datetime | None
    topology: int | None
    waiting: tuple[datetime, ...]
    rows: int
    updated_at: datetime | None


def mark(connection: Connection, width: str, from_ms: int, to_ms: int) -> Mark:
    """The mark of the link windows of ``width`` that start in the range (ms)."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), max(last_at), (SELECT max(revision) FROM report.topology),"
            " array_agg(DISTINCT window_end) FILTER (WHERE changed) FROM report.window_pass"
            " WHERE window_end > %s AND window_end <= %s AND date_bin(%s, window_end, 'epoch') = window_end",
            (to_datetime(from_ms), to_datetime(to_ms), _span(width)),
        )
        ((ends, declared_at, topology, waiting_ends),) = cursor.fetchall()
        waiting = tuple(end - _span(width) for end in waiting_ends or ())
        rows, updated_at = 0, None
        if waiting:
            cursor.execute(
                f"SELECT count(*), max(updated_at) FROM report.link_sum_{width} WHERE window_start = ANY(%s)",
                (list(waiting),),
            )
            ((rows, updated_at),) = cursor.fetchall()
    return Mark(int(ends), declared_at, topology, waiting, int(rows), updated_at)


def not_final(connection: Connection, width: str, of: Mark) -> int:
    """How many windows of links are not final, of those that the mark is about."""
    if not of.waiting:
        return 0
    with connection, connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM report.link_sum_{width} WHERE window_start = ANY(%s) AND final_at IS NULL",
            (list(of.waiting),),
        )
        ((rows,),) = cursor.fetchall()
    return int(rows)


def _span(width: str) -> timedelta:
    return timedelta(milliseconds=WIDTHS_MS[width])
