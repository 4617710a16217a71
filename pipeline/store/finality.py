"""Which windows are final: how far the workers are, passes that declare windows final, what keeps the next ones.

``final_pass`` has a row for each end of a window, of whatever width, that a batch added to. A row of a window is final
if it is no newer than the first pass that declared its end, or the last. Writers note the ends whose windows they
change as ``changed``, and the next pass declares these, if need be again. A pass owns the days of its windows
(``locks.py``): whoever writes there has committed before, or takes its ``updated_at`` after.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pipeline.stages.finality import Source, Watermark, final_until, topic_of
from pipeline.stages.windows import WIDTHS_MS, Deltas
from pipeline.store import locks
from pipeline.store.copying import moment
from pipeline.store.session import AWAY, LETS_GO, YIELDS, Unavailable, connect, service_address

log = logging.getLogger(__name__)

_ALONE = 0x7473_666E
_BASE = timedelta(minutes=10)

_ADD_PROGRESS = """
INSERT INTO store.progress AS p (topic, partition, origin, received_at) VALUES %s
ON CONFLICT (topic, partition, origin) DO UPDATE SET received_at = excluded.received_at
WHERE p.received_at < excluded.received_at
"""
_NOTE = """
INSERT INTO store.final_pass (topic, window_end) SELECT topic, window_end
FROM unnest(%(topics)s::text[], %(ends)s::timestamptz[]) AS w(topic, window_end) ON CONFLICT DO NOTHING
"""
# In the order of the key, as everything that two writers may both change.
_NOTE_AGAIN = """
WITH again AS (
    SELECT f.topic, f.window_end
    FROM store.final_pass AS f, unnest(%(topics)s::text[], %(ends)s::timestamptz[]) AS w(topic, window_end)
    WHERE f.topic = w.topic AND f.window_end = w.window_end AND NOT f.changed
    ORDER BY 1, 2 FOR UPDATE OF f
)
UPDATE store.final_pass AS f SET changed = true FROM again
WHERE f.topic = again.topic AND f.window_end = again.window_end
"""
_DECLARE = """
UPDATE store.final_pass
SET first_at = coalesce(first_at, clock_timestamp()), last_at = clock_timestamp(), changed = false
WHERE topic = %s AND window_end = ANY(%s)
"""


class Final(NamedTuple):
    """Up to which end the windows of a topic are final, None: none is yet; what keeps the next ones, as seen when."""

    topic: str
    until: datetime | None
    held_by: str
    looked_at: datetime


def add_progress(cursor: Cursor, progress: Mapping[Source, int]) -> None:
    """How far a batch brings the store: the newest receipt time (ms) of each broker in each partition."""
    if progress:
        execute_values(
            cursor, _ADD_PROGRESS, sorted((*source, moment(received_ms)) for source, received_ms in progress.items())
        )


def note_changed(cursor: Cursor, deltas: Deltas) -> None:
    """The windows that a batch adds to are to be declared final, if need be again. The caller shares their days."""
    starts = {(topic_of(link.technology), start) for link, windows in deltas.items() for start in windows}
    ends = sorted({(topic, start - start % width + width) for topic, start in starts for width in WIDTHS_MS.values()})
    if ends:
        noted = {"topics": [topic for topic, _ in ends], "ends": [moment(end_ms) for _, end_ms in ends]}
        cursor.execute(_NOTE, noted)
        cursor.execute(_NOTE_AGAIN, noted)


def note_rebuilt(cursor: Cursor, begin: datetime, end: datetime) -> None:
    """All windows of these days were made anew. The caller owns the days."""
    cursor.execute(
        "UPDATE store.final_pass SET changed = true WHERE window_end > %s AND window_end <= %s AND NOT changed",
        (begin, end),
    )


def progress(cursor: Cursor) -> dict[Source, int]:
    """The newest committed receipt time, in ms, of each broker in each partition."""
    cursor.execute(
        "SELECT topic, partition, origin, (extract(epoch FROM received_at) * 1000)::bigint FROM store.progress"
    )
    return {Source(*place): received_ms for *place, received_ms in cursor.fetchall()}


def finals(cursor: Cursor) -> list[Final]:
    """How far the windows of each topic are final, as the last pass left it."""
    cursor.execute("SELECT topic, final_until, held_by, looked_at FROM store.final_state ORDER BY topic")
    return [Final(*row) for row in cursor.fetchall()]


class Passes:
    """Declares windows final, unless another process is at it. Not for several threads at once."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def progress(self) -> dict[Source, int]:
        """What ``watermarks`` needs; read before anything else is looked at. Raises Unavailable."""
        with self._connection() as connection, connection, connection.cursor() as cursor:
            return progress(cursor)

    def run(self, watermarks: Mapping[str, Watermark]) -> int:
        """Declare what can be declared; how many ends of windows, again or for the first time. Raises Unavailable."""
        with self._connection() as connection:
            if not locks.take_turn(connection, _ALONE):
                return 0
            return sum(_declare(connection, topic, watermark) for topic, watermark in sorted(watermarks.items()))

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with closing(connect(self._url, "transferscope finality", f"{YIELDS} {LETS_GO}")) as connection:
                yield connection
        except AWAY as error:
            raise Unavailable("PostgreSQL", service_address(self._url), str(error)) from error


def _declare(connection: Connection, topic: str, watermark: Watermark) -> int:
    try:
        with connection, connection.cursor() as cursor:
            until = _state(cursor, topic, watermark)
            cursor.execute(
                "SELECT window_end FROM store.final_pass WHERE topic = %s AND changed AND window_end <= %s",
                (topic, until),
            )
            ends = [end for (end,) in cursor.fetchall()]
            if ends:
                locks.own_days(cursor, sorted({int((end - _BASE).timestamp()) // 86_400 for end in ends}))
                cursor.execute(_DECLARE, (topic, ends))
            return len(ends)
    except (psycopg2.errors.DeadlockDetected, psycopg2.errors.LockNotAvailable) as error:
        log.info("windows of %s become final another time: %s", topic, str(error).strip().splitlines()[0])
        return 0


def _state(cursor: Cursor, topic: str, watermark: Watermark) -> datetime | None:
    """Keep what was seen; up to which end windows are final now: what was declared is not taken back."""
    until = None if watermark.through_ms is None else _datetime(final_until(watermark.through_ms))
    cursor.execute(
        "INSERT INTO store.final_state AS s (topic, final_until, held_by, looked_at)"
        " VALUES (%s, %s, %s, clock_timestamp()) ON CONFLICT (topic) DO UPDATE"
        " SET final_until = GREATEST(s.final_until, excluded.final_until), held_by = excluded.held_by,"
        " looked_at = excluded.looked_at RETURNING final_until",
        (topic, until, watermark.held_by),
    )
    row: tuple[datetime | None] | None = cursor.fetchone()
    return row[0] if row else None


def _datetime(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC)
