"""When a source was not heard: there, nothing is unknown and not 0."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from psycopg2.extensions import connection as Connection

from pipeline.stages.windows import BASE_MS
from pipeline.store.queries.instants import ceil_ms, floor_ms, to_datetime
from schemas.events import FTS, XROOTD, XROOTD_TPC

_KNOWN_FOR_MS = 7 * 86_400_000
"""A source that was silent for longer before the range is not missed in it."""

_SOURCES = """
WITH heard AS (
    SELECT source, window_start FROM report.source_10m WHERE window_start >= %(known)s AND window_start < %(to)s
), known AS (
    SELECT source, min(window_start) AS first,
        EXISTS (SELECT FROM report.link_1d AS l WHERE l.fts = heard.source) AS is_fts
    FROM heard GROUP BY source
), silent AS (
    SELECT k.source, w.at, w.at - interval '10 minutes' * row_number() OVER (PARTITION BY k.source ORDER BY w.at) AS run
    FROM known AS k CROSS JOIN generate_series(%(from)s, %(last)s, interval '10 minutes') AS w(at)
    WHERE w.at > k.first AND (k.is_fts OR k.source LIKE 'xr%%') AND NOT EXISTS (
        SELECT FROM heard AS h WHERE h.source = k.source AND h.window_start = w.at)
), gap AS (
    SELECT source, min(at) AS begins, max(at) + interval '10 minutes' AS ends FROM silent GROUP BY source, run
)
SELECT source, is_fts, first, begins, ends FROM known LEFT JOIN gap USING (source)
WHERE is_fts OR source LIKE 'xr%%' ORDER BY source, begins
"""


class Source(NamedTuple):
    """What a source tells of, the start of the window of receipt times in which it was heard first, and when it was
    silent since: from and to, in whole windows."""

    name: str
    technologies: tuple[str, ...]
    first: datetime
    gaps: tuple[tuple[datetime, datetime], ...]


def sources(connection: Connection, from_ms: int, to_ms: int) -> list[Source]:
    """The sources heard in the range (ms) or lately before it, by name, with the gaps within its windows that ended.

    They are instances of FTS that have links, and topics of xrootd, whose names begin with xr. ``first`` is not before
    the seven days that lie before the range.
    """
    last_ms = floor_ms(to_ms, BASE_MS) - BASE_MS
    with connection, connection.cursor() as cursor:
        cursor.execute(
            _SOURCES,
            {
                "known": to_datetime(max(from_ms - _KNOWN_FOR_MS, 0)),
                "from": to_datetime(ceil_ms(from_ms, BASE_MS)),
                "last": to_datetime(max(last_ms, 0)),
                "to": to_datetime(to_ms),
            },
        )
        return [
            Source(
                name,
                (FTS,) if is_fts else (XROOTD, XROOTD_TPC),
                first,
                tuple((begins, ends) for *_, begins, ends in rows if begins is not None),
            )
            for (name, is_fts, first), rows in groupby(cursor, key=lambda row: row[:3])
        ]
