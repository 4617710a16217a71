"""The windows as the rows say they must be: the same rules as ``pipeline.stages.windows``, told again in SQL.

``verify`` compares them with what the writers added up; ``recompute`` puts them in their place. Both work on whole
days, because hours and days are sums of base windows.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from pipeline.stages.errors import SAMPLE
from pipeline.stages.flows import FLOW_COUNTERS
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


class Family(NamedTuple):
    """Windows of one kind of key: their tables are ``store.NAME_WIDTH``, the expected ones ``expected_NAME_WIDTH``."""

    name: str
    ids: tuple[str, ...]
    measures: tuple[str, ...]
    widths: tuple[str, ...]


LINKS = Family("link", ("link_id",), MEASURES, tuple(SPANS))
FLOWS = Family("flow", ("flow_id",), FLOW_COUNTERS, tuple(SPANS))
ERRORS = Family("error", ("link_id", "error_id"), ("count", "sample_at", "sample_dedupe", "sample"), ("10m",))
FILE_STATES = Family("file_state", ("link_id", "state"), file_states.MEASURES, ("10m",))
FAMILIES = (LINKS, FLOWS, ERRORS, FILE_STATES)
_SUMMED = (LINKS, FLOWS)
_ROOM = "SET LOCAL work_mem = '256MB'"
"""A day's groups at once: with the server's default they go to the disk and back."""


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


def _only(measures: tuple[str, ...], **given: str) -> str:
    """All measures, those not given as nothing."""
    nothing = {name: "NULL::bigint" if name.endswith(("_min", "_max")) else "0" for name in measures}
    return ", ".join(f"{given.get(name, nothing[name])} AS {name}" for name in measures)


def _folded(measures: tuple[str, ...]) -> str:
    return ", ".join(
        f"{name.rpartition('_')[2]}({name}) AS {name}"
        if name.endswith(("_min", "_max"))
        else f"sum({name})::{_SUM_TYPES.get(name, 'bigint')} AS {name}"
        for name in measures
    )


def _base(family: Family) -> str:
    """Rows that were written before there were flows have none, until ``recompute`` gives them one."""
    measures, (key,) = family.measures, family.ids
    finished = ", ".join(f"{value} AS {name}" for name, value in _finished_measures().items() if name in measures)
    return f"""
CREATE TEMPORARY TABLE expected_{family.name}_10m ON COMMIT DROP AS
WITH days AS (SELECT %(begin)s::timestamptz AS begin_at, %(end)s::timestamptz AS end_at),
moving AS (
    SELECT t.{key}, t.bytes::numeric AS bytes,
        (extract(epoch FROM t.moved_from) * 1000)::bigint AS from_ms,
        (extract(epoch FROM t.moved_to) * 1000)::bigint AS to_ms
    FROM store.transfer AS t, days
    WHERE t.{key} IS NOT NULL AND t.interval_use = {
        INTERVAL_USED
    } AND t.moved_from < days.end_at AND t.moved_to > days.begin_at
        AND t.ended_at >= days.begin_at - interval '1 minute'
        -- What ended on a later day moved here only if it began before that day: the partial index knows those.
        AND (t.ended_at < days.end_at
            OR (t.moved_from AT TIME ZONE 'UTC') < date_trunc('day', t.ended_at AT TIME ZONE 'UTC'))
),
pieces AS (
    SELECT {key}, edge AS window_ms,
        div(bytes * (least(edge + 600000, to_ms) - from_ms), (to_ms - from_ms))
        - div(bytes * (greatest(edge, from_ms) - from_ms), (to_ms - from_ms)) AS moved
    FROM moving, generate_series(from_ms - from_ms %% 600000, to_ms - 1, 600000) AS edge
),
parts AS (
    SELECT t.{key}, date_bin('10 minutes', t.ended_at, 'epoch') AS window_start, {finished}
    FROM store.transfer AS t, days WHERE t.{
        key
    } IS NOT NULL AND t.ended_at >= days.begin_at AND t.ended_at < days.end_at
    GROUP BY 1, 2
    UNION ALL
    SELECT {key}, timestamptz 'epoch' + window_ms * interval '1 millisecond', {
        _only(measures, bytes_moved="sum(moved)")
    }
    FROM pieces, days
    WHERE window_ms >= extract(epoch FROM days.begin_at) * 1000 AND window_ms < extract(epoch FROM days.end_at) * 1000
    GROUP BY 1, 2 HAVING sum(moved) > 0
    UNION ALL
    SELECT s.{key}, date_bin('10 minutes', s.event_at, 'epoch'), {_only(measures, started="count(*)")}
    FROM store.start AS s, days WHERE s.{key} IS NOT NULL AND s.event_at >= days.begin_at AND s.event_at < days.end_at
    GROUP BY 1, 2
)
SELECT window_start, {key}, {_folded(measures)} FROM parts GROUP BY 1, 2
"""


def _wider(family: Family, width: str) -> str:
    return f"""
CREATE TEMPORARY TABLE expected_{family.name}_{width} ON COMMIT DROP AS
SELECT date_bin('{SPANS[width]}', window_start, 'epoch') AS window_start, {family.ids[0]}, {_folded(family.measures)}
FROM expected_{family.name}_10m GROUP BY 1, 2
"""


_ERRORS = f"""
CREATE TEMPORARY TABLE expected_error_10m ON COMMIT DROP AS
SELECT date_bin('10 minutes', ended_at, 'epoch') AS window_start, link_id, error_id, count(*) AS count,
    min(ended_at) AS sample_at,
    (array_agg(dedupe ORDER BY ended_at, dedupe))[1] AS sample_dedupe,
    (array_agg(left(error_message, {SAMPLE}) ORDER BY ended_at, dedupe))[1] AS sample
FROM store.transfer
WHERE ended_at >= %(begin)s AND ended_at < %(end)s AND state = 'failed' AND error_id IS NOT NULL
GROUP BY 1, 2, 3
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
CREATE TEMPORARY TABLE expected_file_state_10m ON COMMIT DROP AS
SELECT date_bin('10 minutes', event_at, 'epoch') AS window_start, link_id, state, count(*) AS count,
    count(wait_ms) AS wait_count, coalesce(sum(wait_ms), 0)::bigint AS wait_sum,
    min(wait_ms) AS wait_min, max(wait_ms) AS wait_max,
    count(staging_ms) AS staging_count, coalesce(sum(staging_ms), 0)::bigint AS staging_sum,
    min(staging_ms) AS staging_min, max(staging_ms) AS staging_max
FROM store.file_state WHERE event_at >= %(begin)s AND event_at < %(end)s GROUP BY 1, 2, 3
"""


def build(cursor: Cursor, days: Days) -> None:
    """Make the temporary tables ``expected_link_10m`` and so on, and ``expected_hist``, for these days."""
    tables = [f"expected_{family.name}_{width}" for family in FAMILIES for width in family.widths]
    cursor.execute(f"DROP TABLE IF EXISTS {', '.join(tables)}, expected_hist")
    cursor.execute(_ROOM)
    bounds = {"begin": days.begin, "end": days.end}
    for family in _SUMMED:
        cursor.execute(_base(family), bounds)
        for width in ("1h", "1d"):
            cursor.execute(_wider(family, width))
    cursor.execute(_ERRORS, bounds)
    cursor.execute(_HISTOGRAM, bounds)
    cursor.execute(_FILE_STATES, bounds)


def install(cursor: Cursor, days: Days) -> None:
    """Replace the stored windows of these days by the expected ones."""
    bounds = (days.begin, days.end)
    for family in FAMILIES:
        columns = ", ".join(("window_start", *family.ids, *family.measures))
        for width in family.widths:
            table = f"{family.name}_{width}"
            cursor.execute(f"DELETE FROM store.{table} WHERE window_start >= %s AND window_start < %s", bounds)
            cursor.execute(f"INSERT INTO store.{table} ({columns}) SELECT {columns} FROM expected_{table}")
    cursor.execute("DELETE FROM store.link_hist WHERE window_start >= %s AND window_start < %s", bounds)
    cursor.execute(
        "INSERT INTO store.link_hist (window_start, link_id, codes, counts)"
        " SELECT window_start, link_id, array_agg(code ORDER BY code), array_agg(n::int ORDER BY code)"
        " FROM expected_hist GROUP BY 1, 2"
    )
