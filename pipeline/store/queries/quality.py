"""How far the numbers can be trusted: what came of each source, what could not be used, paired or placed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg2.extensions import connection as Connection

from pipeline.store.queries.columns import Column
from pipeline.store.queries.instants import to_datetime


class Section(NamedTuple):
    """One table: its columns, and the statement over ``report`` that gives them for ``from``, ``to`` and ``now``."""

    columns: tuple[Column, ...]
    sql: str


_SOURCES = """
SELECT f.source, f.last_event_at, f.last_received_at, f.last_committed_at, coalesce(sum(s.received), 0),
    coalesce(sum(s.stored), 0), coalesce(sum(s.duplicate), 0), coalesce(sum(s.dead), 0), max(s.lateness_max_s)
FROM report.freshness AS f LEFT JOIN report.source_10m AS s
    ON s.source = f.source AND s.window_start >= %(from)s AND s.window_start < %(to)s
GROUP BY 1, 2, 3, 4 ORDER BY f.last_received_at NULLS FIRST, f.source
"""
_DEAD = """
SELECT topic, reason, count(*), count(replayed_at), min(coalesce(received_at, died_at)),
    max(coalesce(received_at, died_at))
FROM report.dead_letter WHERE coalesce(received_at, died_at) >= %(from)s AND coalesce(received_at, died_at) < %(to)s
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""
_HOSTS = """
WITH windows AS (
    SELECT technology, src_host, dst_host, src_site, dst_site, ok + failed + aborted AS finished, bytes
    FROM report.link_10m WHERE window_start >= %(from)s AND window_start < %(to)s
), total AS (
    SELECT technology, sum(bytes) AS bytes FROM windows GROUP BY 1
), sides AS (
    SELECT technology, src_host AS host, finished, bytes FROM windows WHERE src_site = 'unknown'
    UNION ALL
    SELECT technology, dst_host, finished, bytes FROM windows
    WHERE dst_site = 'unknown' AND (src_site, src_host) <> (dst_site, dst_host)
)
SELECT s.technology, s.host, sum(s.finished), sum(s.bytes), sum(s.bytes)::float8 / nullif(max(t.bytes), 0)::float8
FROM sides AS s JOIN total AS t USING (technology)
GROUP BY 1, 2 HAVING sum(s.finished) > 0 ORDER BY 4 DESC, 3 DESC, 1, 2 LIMIT 1000
"""
_JOIN = """
WITH parts AS (
    SELECT fts, count(*) AS finished, count(start_message_at) AS paired, 0 AS open, 0 AS closed, 0 AS lost
    FROM report.transfer WHERE technology = 'fts' AND ended_at >= %(from)s AND ended_at < %(to)s GROUP BY fts
    UNION ALL
    SELECT fts, 0, 0, count(*) FILTER (WHERE NOT lost AND NOT closed_by_state),
        count(*) FILTER (WHERE closed_by_state), count(*) FILTER (WHERE lost AND NOT closed_by_state)
    FROM report.in_flight WHERE started_at >= %(from)s AND started_at < %(to)s GROUP BY fts
)
SELECT fts, sum(finished), sum(paired), sum(paired)::float8 / nullif(sum(finished), 0)::float8, sum(open), sum(closed),
    sum(lost)
FROM parts GROUP BY fts ORDER BY 2 DESC, fts
"""
_MAPPING = """
SELECT technology, status, sum(transfers) FROM report.mapping_10m
WHERE window_start >= %(from)s AND window_start < %(to)s GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2
"""
_TOPOLOGY = """
SELECT revision, source, loaded_at, confirmed_at, extract(epoch FROM %(now)s - confirmed_at)::float8
FROM report.topology ORDER BY revision DESC LIMIT 20
"""
_VERIFY = """
SELECT run_at, window_from, window_to, cells, differing FROM report.verify_run ORDER BY run_at DESC LIMIT 50
"""
_FINALITY = "SELECT topic, final_until, held_by, looked_at FROM report.finality ORDER BY topic"


def _columns(**kinds: Any) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in kinds.items())


SECTIONS: dict[str, Section] = {
    "sources": Section(
        _columns(
            source="text",
            last_event_at="time",
            last_received_at="time",
            last_committed_at="time",
            received="count",
            stored="count",
            duplicate="count",
            dead="count",
            lateness_max_s="number",
        ),
        _SOURCES,
    ),
    "dead": Section(
        _columns(topic="text", reason="text", count="count", replayed="count", first_seen="time", last_seen="time"),
        _DEAD,
    ),
    "hosts": Section(_columns(technology="text", host="text", transfers="count", bytes="bytes", share="ratio"), _HOSTS),
    "join": Section(
        _columns(
            fts="text",
            finished="count",
            paired="count",
            completeness="ratio",
            in_flight="count",
            closed_by_state="count",
            lost="count",
        ),
        _JOIN,
    ),
    "mapping": Section(_columns(technology="text", status="text", transfers="count"), _MAPPING),
    "topology": Section(
        _columns(revision="count", source="text", loaded_at="time", confirmed_at="time", age_s="number"), _TOPOLOGY
    ),
    "verify": Section(
        _columns(run_at="time", window_from="time", window_to="time", cells="count", differing="count"), _VERIFY
    ),
    "finality": Section(_columns(topic="text", final_until="time", held_by="text", looked_at="time"), _FINALITY),
}
"""What can be asked. In ``hosts`` are those of no known site, in ``join`` how many completes found their start."""


def section(connection: Connection, name: str, from_ms: int, to_ms: int, now_ms: int) -> list[Sequence[Any]]:
    """The rows of a section of SECTIONS over a range (ms); those of topology, verify and finality are the newest."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            SECTIONS[name].sql,
            {"from": to_datetime(from_ms), "to": to_datetime(to_ms), "now": to_datetime(now_ms)},
        )
        return list(cursor.fetchall())
