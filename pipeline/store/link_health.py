"""Links held against their own week: one question for all of them, alerts raised and cleared with the answer."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from pipeline.stages.alert_rules import LINK_HEALTH, Finding, Judged
from pipeline.stages.link_health import Seen, efficiency, judge
from pipeline.stages.windows import BASE_MS
from pipeline.store import alerts
from pipeline.store.copying import moment
from pipeline.store.session import AWAY, Unavailable, connect, service_address
from schemas.events import FTS

_HOUR_MS = 3_600_000
_WEEK_MS = 7 * 24 * _HOUR_MS
_LATELY_MS = 6 * _HOUR_MS

_SEEN = """
WITH links AS (
    SELECT id, vo || ' ' || CASE src_site WHEN 'unknown' THEN src_host ELSE src_site END
        || ' → ' || CASE dst_site WHEN 'unknown' THEN dst_host ELSE dst_site END AS subject
    FROM store.link WHERE technology = %(technology)s
), wanted AS (
    SELECT id, subject FROM links WHERE subject = ANY (%(subjects)s)
        OR subject IN (SELECT subject FROM store.alert WHERE rule = %(rule)s AND cleared_at IS NULL)
), lately AS (
    SELECT l.subject, sum(w.ok) FILTER (WHERE w.window_start >= %(hour)s) AS ok,
        sum(w.failed) FILTER (WHERE w.window_start >= %(hour)s) AS failed, sum(w.ok + w.failed) AS finished
    FROM wanted AS l JOIN store.link_10m AS w ON w.link_id = l.id
    WHERE w.window_start >= %(lately)s AND w.window_start < %(now)s GROUP BY 1
), week AS (
    SELECT l.subject, sum(w.ok) AS ok, sum(w.failed) AS failed
    FROM wanted AS l JOIN store.link_1h AS w ON w.link_id = l.id
    WHERE w.window_start >= %(week)s AND w.window_start < %(week_end)s GROUP BY 1
)
SELECT s.subject, coalesce(l.ok, 0)::bigint, coalesce(l.failed, 0)::bigint, coalesce(w.ok, 0)::bigint,
    coalesce(w.failed, 0)::bigint, coalesce(l.finished, 0)::bigint
FROM (SELECT DISTINCT subject FROM wanted) AS s
LEFT JOIN lately AS l USING (subject) LEFT JOIN week AS w USING (subject)
ORDER BY 1
"""


class Changes(NamedTuple):
    """How many links were looked at, and the subjects of alerts that were raised and cleared."""

    looked_at: int
    raised: list[str]
    cleared: list[str]


def look(database_url: str, subjects: Iterable[str], now_ms: int) -> Changes:
    """Judge these links and those with an open alert by what ended before ``now_ms``. Raises Unavailable."""
    try:
        with (
            closing(connect(database_url, "transferscope alerts")) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            return _look(cursor, list(subjects), now_ms)
    except AWAY as error:
        raise Unavailable("PostgreSQL", service_address(database_url), str(error)) from error


def _look(cursor: Cursor, subjects: list[str], now_ms: int) -> Changes:
    hour_ms = now_ms - now_ms % BASE_MS - _HOUR_MS
    week_end_ms = hour_ms - hour_ms % _HOUR_MS
    cursor.execute(
        _SEEN,
        {
            "technology": FTS,
            "subjects": subjects,
            "rule": LINK_HEALTH,
            "hour": moment(hour_ms),
            "lately": moment(now_ms - now_ms % BASE_MS - _LATELY_MS),
            "now": moment(now_ms),
            "week": moment(week_end_ms - _WEEK_MS),
            "week_end": moment(week_end_ms),
        },
    )
    found = [(subject, Seen(*counts)) for subject, *counts in cursor.fetchall()]
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    changed = alerts.apply(cursor, (Judged(judge(seen), _finding(subject, seen)) for subject, seen in found), now)
    return Changes(len(found), *([finding.subject for finding in each] for each in changed))


def _finding(subject: str, seen: Seen) -> Finding:
    hour, week = efficiency(seen.ok, seen.failed) or 0.0, efficiency(seen.week_ok, seen.week_failed) or 0.0
    detail = (
        f"{seen.failed} of {seen.ok + seen.failed} transfers failed in the last hour: efficiency {hour:.0%}, "
        f"in the week before it {week:.0%}"
    )
    return Finding(LINK_HEALTH, subject, hour, week, detail)
