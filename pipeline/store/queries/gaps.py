"""When a source was not heard: there, nothing is unknown and not 0."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import connection as Connection

from pipeline.stages.windows import BASE_MS
from pipeline.store.queries.instants import ceil_ms, floor_ms, to_datetime
from schemas.events import FTS, XROOTD, XROOTD_TPC

_KNOWN_FOR_MS = 7 * 86_400_000
"""A source that was silent for longer before the range is not missed in it."""

_GAPS = """
WITH heard AS (
    SELECT source, window_start FROM report.source_10m WHERE window_start >= %(known)s AND window_start < %(to)s
), known AS (
    SELECT source, min(window_start) AS first,
        EXISTS (SELECT FROM report.link_1d AS l WHERE l.fts = heard.source) AS is_fts
    FROM heard GROUP BY source
), silent AS (
    SELECT k.source, k.is_fts, w.at,
        w.at - interval '10 minutes' * row_number() OVER (PARTITION BY k.source ORDER BY w.at) AS run
    FROM known AS k CROSS JOIN generate_series(%(from)s, %(last)s, interval '10 minutes') AS w(at)
    WHERE w.at > k.first AND (k.is_fts OR k.source LIKE 'xr%%') AND NOT EXISTS (
        SELECT FROM heard AS h WHERE h.source = k.source AND h.window_start = w.at)
)
SELECT source, is_fts, min(at), max(at) + interval '10 minutes' FROM silent GROUP BY 1, 2, run ORDER BY 1, 3
"""


class Gap(NamedTuple):
    """From when to when a source was not heard, in whole windows of receipt times, and what it tells of."""

    source: str
    technologies: tuple[str, ...]
    from_: datetime
    to: datetime


def gaps(connection: Connection, from_ms: int, to_ms: int) -> list[Gap]:
    """The gaps within the windows that ended in the range (ms), by source and time.

    Sources are instances of FTS that have links, and topics of xrootd, whose names begin with xr.
    """
    last_ms = floor_ms(to_ms, BASE_MS) - BASE_MS
    with connection, connection.cursor() as cursor:
        cursor.execute(
            _GAPS,
            {
                "known": to_datetime(max(from_ms - _KNOWN_FOR_MS, 0)),
                "from": to_datetime(ceil_ms(from_ms, BASE_MS)),
                "last": to_datetime(max(last_ms, 0)),
                "to": to_datetime(to_ms),
            },
        )
        return [Gap(source, (FTS,) if is_fts else (XROOTD, XROOTD_TPC), *times) for source, is_fts, *times in cursor]
