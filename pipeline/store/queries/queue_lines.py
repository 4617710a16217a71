"""How full queues of FTS were over time: several of them in one question, none added to another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import connection as Connection

from pipeline.store.queries.instants import to_datetime

_SQL = """
SELECT k.number - 1, date_bin(%(step)s * interval '1 millisecond', q.sampled_at, 'epoch') AS bin,
    avg(q.active)::double precision, avg(q.ready)::double precision, avg(q.ratio)::double precision
FROM report.queue_sample AS q
JOIN unnest(%(fts)s::text[], %(vo)s::text[], %(src)s::text[], %(dst)s::text[])
    WITH ORDINALITY AS k(fts, vo, src_host, dst_host, number)
    ON (q.fts, q.vo, q.src_host, q.dst_host) IS NOT DISTINCT FROM (k.fts, k.vo, k.src_host, k.dst_host)
WHERE q.channel = %(channel)s AND q.window_start >= %(from)s AND q.window_start < %(to)s
GROUP BY 1, 2 ORDER BY 1, 2
"""


class Queue(NamedTuple):
    """Whose queue it is; None is a value of its own: no VO, or no host because it is a channel's total."""

    fts: str | None
    vo: str | None
    src_host: str | None
    dst_host: str | None


class Fill(NamedTuple):
    """Means of the samples of a time: transfers active and ready, active in % of the limit; None where none told it."""

    start: datetime
    active: float | None
    ready: float | None
    ratio: float | None


def queue_lines(
    connection: Connection, channel: str, queues: Sequence[Queue], from_ms: int, to_ms: int, step_ms: int
) -> list[list[Fill]]:
    """For each of the queues of a channel its times of ``step_ms`` in the range (ms, on window edges), oldest first.

    A time without a sample is left out.
    """
    found: list[list[Fill]] = [[] for _ in queues]
    names = {
        "fts": [each.fts for each in queues],
        "vo": [each.vo for each in queues],
        "src": [each.src_host for each in queues],
        "dst": [each.dst_host for each in queues],
    }
    range_ = {"from": to_datetime(from_ms), "to": to_datetime(to_ms)}
    with connection, connection.cursor() as cursor:
        cursor.execute(_SQL, {"step": step_ms, "channel": channel, **names, **range_})
        for number, *fill in cursor:
            found[number].append(Fill(*fill))
    return found
