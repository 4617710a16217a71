"""The windows as the rows say they must be: the same rules as ``pipeline.stages.windows``, told again in SQL.

``verify`` compares them with what the writers added up; ``recompute`` puts them in their place. Both work on whole
days, because hours and days are sums of base windows.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from pipeline.stages.windows import COUNTERS, WIDTHS_MS
from pipeline.store import file_states
from pipeline.store.file_states import QUEUE_WAIT, STAGING
from schemas.events import INTERVAL_EMPTY, INTERVAL_IGNORED, INTERVAL_NONE, INTERVAL_USED, STAGES
from schemas.histogram import BINS_PER_MEASURE

MEASURES = (*COUNTERS, *(f"{stage}_{part}" for stage in STAGES for part in ("count", "sum", "min", "max")))
SPANS = {"10m": "10 minutes", "1h": "1 hour", "1d": "1 day"}
assert SPANS.keys() == WIDTHS_MS.keys()

_STAGE_COLUMNS = {stage: "throughput" if stage == "throughput" else f"{stage}_ms" for stage in STAGES}
_SUM_TYPES = {"throughput_sum": "numeric"}


class Days(NamedTuple):
    """Whole days, UTC: [begin, end)."""

    begin: datetime
    end: datetime


def _finished_measures() -> dict[str, str]:
    measures = {name: "0::bigint" for name in COUNTERS}
    for state in ("ok", "failed", "aborted"):
        measures[state] = f"count(*) FILTER (WHERE state = '{state}')"
    measures["bytes"] = "sum(bytes)"
    measures["bytes_ok"] = "coalesce(sum(bytes) FILTER (WHERE state = 'ok'), 0)"
    measures["bytes_moved"] = f"coalesce(sum(bytes) FILTER (WHERE interval_use <> {INTERVAL_USED}), 0)"
    for name, use in (("none", INTERVAL_NONE), ("empty", INTERVAL_EMPTY), ("ignored", INTERVAL_IGNORED)):
        measures[f"interval_{name}"] = f"count(*) FILTER (WHERE interval_use = {use})"
    for stage, column in _STAGE_COLUMNS.items():
        ok = f"FILTER (WHERE state = 'ok' AND {column} IS NOT NULL)"
        measures[f"{stage}_count"] = f"count(*) {ok}"
        measures[f"{stage}_sum"] = f"coalesce(sum({column}) {ok}, 0)"
        measures[f"{stage}_min"] = f"min({column}) {ok}"
        measures[f"{stage}_max"] = f"max({column}) {ok}"
    return measures


def _only(**given: str) -> str:
    """All measures, those not given as nothing."""
    nothing = {name: "NULL::bigint" if name.endswith(("_min", "_max")) else "0" for name in MEASURES}
    return ", ".join(f"{given.get(name, nothing[name])} AS {name}" for name in MEASURES)


def _folded() -> str:
    return ", ".join(
        f"{name.rpartition('_')[2]}({name}) AS {name}"
        if name.endswith(("_min", "_max"))
        else f"sum({name})::{_SUM_TYPES.get(name, 'bigint')} AS {name}"
        for name in MEASURES
    )


_FINISHED = ", ".join(f"{value} AS {name}" for name, value in _finished_measures().items())

_BASE = f"""
CREATE TEMPORARY TABLE expected_10m ON COMMIT DROP AS
WITH days AS (SELECT %(begin)s::timestamptz AS begin_at, %(end)s::timestamptz AS end_at),
moving AS (
    SELECT t.link_id, t.bytes::numeric AS bytes,
        (extract(epoch FROM t.moved_from) * 1000)::bigint AS from_ms,
        (extract(epoch FROM t.moved_to) * 1000)::bigint AS to_ms
    FROM store.transfer AS t, days
    WHERE t.interval_use = {INTERVAL_USED} AND t.moved_from < days.end_at AND t.moved_to > days.begin_at
        AND t.ended_at >= days.begin_at - interval '1 minute'
        -- What ended on a later day moved here only if it began before that day: the partial index knows those.
        AND (t.ended_at < days.end_at
            OR (t.moved_from AT TIME ZONE 'UTC') < date_trunc('day', t.ended_at AT TIME ZONE 'UTC'))
),
pieces AS (
    SELECT link_id, edge AS window_ms,
        div(bytes * (least(edge + 600000, to_ms) - from_ms), (to_ms - from_ms))
        - div(bytes * (greatest(edge, from_ms) - from_ms), (to_ms - from_ms)) AS moved
    FROM moving, generate_series(from_ms - from_ms %% 600000, to_ms - 1, 600000) AS edge
),
parts AS (
    SELECT t.link_id, date_bin('10 minutes', t.ended_at, 'epoch') AS window_start, {_FINISHED}
    FROM store.transfer AS t, days WHERE t.ended_at >= days.begin_at AND t.ended_at < days.end_at
    GROUP BY 1, 2
    UNION ALL
    SELECT link_id, timestamptz 'epoch' + window_ms * interval '1 millisecond', {_only(bytes_moved="sum(moved)")}
    FROM pieces, days
    WHERE window_ms >= extract(epoch FROM days.begin_at) * 1000 AND window_ms < extract(epoch FROM days.end_at) * 1000
    GROUP BY 1, 2 HAVING sum(moved) > 0
    UNION ALL
    SELECT s.link_id, date_bin('10 minutes', s.event_at, 'epoch'), {_only(started="count(*)")}
    FROM store.start AS s, days WHERE s.event_at >= days.begin_at AND s.event_at < days.end_at
    GROUP BY 1, 2
)
SELECT window_start, link_id, {_folded()} FROM parts GROUP BY 1, 2
"""

_WIDER = """
CREATE TEMPORARY TABLE expected_{width} ON COMMIT DROP AS
SELECT date_bin('{span}', window_start, 'epoch') AS window_start, link_id, {folded} FROM expected_10m GROUP BY 1, 2
"""

_STAGE_VALUES = ", ".join(
    f"({number * BINS_PER_MEASURE}, t.{column})" for number, column in enumerate(_STAGE_COLUMNS.values())
)
_STATE_VALUES = f"({QUEUE_WAIT * BINS_PER_MEASURE}, f.wait_ms), ({STAGING * BINS_PER_MEASURE}, f.staging_ms)"
_HISTOGRAM = f"""
CREATE TEMPORARY TABLE expected_hist ON COMMIT DROP AS
SELECT date_bin('10 minutes', t.ended_at, 'epoch') AS window_start, t.link_id,
    v.base + report.hist_bin(v.value) AS code, count(*) AS n
FROM store.transfer AS t, LATERAL (VALUES {_STAGE_VALUES}) AS v(base, value)
WHERE t.ended_at >= %(begin)s AND t.ended_at < %(end)s AND t.state = 'ok' AND v.value IS NOT NULL
GROUP BY 1, 2, 3
UNION ALL
SELECT date_bin('10 minutes', f.event_at, 'epoch'), f.link_id, v.base + report.hist_bin(v.value), count(*)
FROM store.file_state AS f, LATERAL (VALUES {_STATE_VALUES}) AS v(base, value)
WHERE f.event_at >= %(begin)s AND f.event_at < %(end)s AND v.value IS NOT NULL
GROUP BY 1, 2, 3
"""
_FILE_STATES = """
CREATE TEMPORARY TABLE expected_states ON COMMIT DROP AS
SELECT date_bin('10 minutes', event_at, 'epoch') AS window_start, link_id, state, count(*) AS count,
    count(wait_ms) AS wait_count, coalesce(sum(wait_ms), 0)::bigint AS wait_sum,
    min(wait_ms) AS wait_min, max(wait_ms) AS wait_max,
    count(staging_ms) AS staging_count, coalesce(sum(staging_ms), 0)::bigint AS staging_sum,
    min(staging_ms) AS staging_min, max(staging_ms) AS staging_max
FROM store.file_state WHERE event_at >= %(begin)s AND event_at < %(end)s GROUP BY 1, 2, 3
"""


def build(cursor: Cursor, days: Days) -> None:
    """Make the temporary tables ``expected_10m``, ``_1h``, ``_1d``, ``_hist`` and ``_states`` for these days."""
    cursor.execute("DROP TABLE IF EXISTS expected_10m, expected_1h, expected_1d, expected_hist, expected_states")
    bounds = {"begin": days.begin, "end": days.end}
    cursor.execute(_BASE, bounds)
    for width in ("1h", "1d"):
        cursor.execute(_WIDER.format(width=width, span=SPANS[width], folded=_folded()))
    cursor.execute(_HISTOGRAM, bounds)
    cursor.execute(_FILE_STATES, bounds)


def install(cursor: Cursor, days: Days) -> None:
    """Replace the stored windows of these days by the expected ones."""
    columns = ", ".join(("window_start", "link_id", *MEASURES))
    bounds = (days.begin, days.end)
    for width in SPANS:
        cursor.execute(f"DELETE FROM store.link_{width} WHERE window_start >= %s AND window_start < %s", bounds)
        cursor.execute(f"INSERT INTO store.link_{width} ({columns}) SELECT {columns} FROM expected_{width}")
    cursor.execute("DELETE FROM store.link_hist WHERE window_start >= %s AND window_start < %s", bounds)
    cursor.execute(
        "INSERT INTO store.link_hist (window_start, link_id, codes, counts)"
        " SELECT window_start, link_id, array_agg(code ORDER BY code), array_agg(n::int ORDER BY code)"
        " FROM expected_hist GROUP BY 1, 2"
    )
    columns = ", ".join(("window_start", "link_id", "state", *file_states.MEASURES))
    cursor.execute("DELETE FROM store.file_state_10m WHERE window_start >= %s AND window_start < %s", bounds)
    cursor.execute(f"INSERT INTO store.file_state_10m ({columns}) SELECT {columns} FROM expected_states")
