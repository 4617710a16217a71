"""How deep queues and consumer groups were over time."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import connection as Connection

from pipeline.store.queries.instants import to_datetime

_SQL = """
SELECT kind, broker, name, date_bin(%(step)s * interval '1 millisecond', sampled_at, 'epoch') AS bin, max(depth)
FROM report.backlog WHERE sampled_at >= %(from)s AND sampled_at < %(to)s GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""


class Depth(NamedTuple):
    """The deepest of the samples of a time; None: the queue did not exist. A time without a sample has no row."""

    kind: str
    broker: str
    name: str
    start: datetime
    depth: int | None


def depths(connection: Connection, from_ms: int, to_ms: int, step_ms: int) -> list[Depth]:
    """The depths of all that was sampled in the range (ms), in times of ``step_ms`` from the epoch on, oldest first."""
    with connection, connection.cursor() as cursor:
        cursor.execute(_SQL, {"step": step_ms, "from": to_datetime(from_ms), "to": to_datetime(to_ms)})
        return [Depth(*row) for row in cursor.fetchall()]
