"""Windows in bulk, so that a benchmark can ask what reading costs. Made in SQL out of hashes: the same for a seed.

Traffic is heavy-tailed: the link of rank r has ``BUSIEST / r ** 1.1`` transfers in ten minutes on average, and is in a
window with the probability that a Poisson process of that rate has an event in it. 15 000 pairs of hosts so have about
1.4 million transfers a day, as the FTS servers of WLCG do; a tenth of all links is in a window of ten minutes, a third
in one of an hour, nearly all in a day.

Base windows, with their failures and histograms, are made for the days of BASE_DAYS_AGO alone: no answer takes more
than two days, and as much a week before, from them. Hours of those days are sums of them, all days are sums of their
hours. Single transfers, flows and queues, which no answer measured here reads, are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.stages.windows import COUNTERS, WIDTHS_MS
from pipeline.store.copying import moment
from pipeline.store.partitions import Partitions
from schemas.events import STAGES

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
BASE_DAYS_AGO = (0, 1, 2, 7, 8, 9)
BUSIEST = 1500
IN_FLIGHT = 20_000

_WAITING_DAYS = 7
_FINAL_AFTER_MS = 2_400_000
"""Windows that ended so long before now were declared final."""

_PARTS = {"count": "sum", "sum": "sum", "min": "min", "max": "max"}
_MEASURES = (*COUNTERS, *(f"{stage}_{part}" for stage in STAGES for part in _PARTS))
_COLUMNS = ", ".join(("window_start", "link_id", *_MEASURES, "updated_at"))
_SUMS = ", ".join(
    [f"sum({name})" for name in COUNTERS]
    + [f"{add}({stage}_{part})" for stage in STAGES for part, add in _PARTS.items()]
)

_LINKS = """
INSERT INTO store.link (key_hash, technology, fts, vo, channel, src_host, dst_host, src_site, dst_site, src_country,
    dst_country)
WITH pair AS (
    SELECT s, d, hashint8extended(s * 100000 + d, %(seed)s) AS h FROM generate_series(1, %(sites)s::bigint) AS s,
        generate_series(1, %(sites)s::bigint) AS d
    ORDER BY h LIMIT %(links)s
), named AS (
    SELECT p.*, v, (ARRAY['atlas', 'atlas', 'atlas', 'cms', 'cms', 'lhcb', 'alice'])[1 + (h + v & 65535) %% 7] AS vo,
        CASE WHEN (h >> 16 & 65535) %% 20 = 0 THEN 'xrootd' ELSE 'fts' END AS technology
    FROM pair AS p, generate_series(0, 1) AS v WHERE v = 0 OR (h >> 32 & 65535) %% 5 = 0
)
SELECT DISTINCT ON (technology, vo, s, d) md5(concat_ws('/', technology, vo, s, d))::uuid, technology,
    CASE technology WHEN 'fts' THEN 'fts-' || vo || '.example' ELSE '' END, vo,
    CASE technology WHEN 'fts' THEN 'SITE-' || s || '-' || 'SITE-' || d ELSE '' END,
    'se' || (h >> 8 & 1) || '.site-' || s || '.example', 'se' || (h >> 9 & 1) || '.site-' || d || '.example',
    'SITE-' || s, 'SITE-' || d, 'country ' || s %% 40, 'country ' || d %% 40
FROM named
"""
_BUSY = """
CREATE TEMPORARY TABLE busy AS
SELECT id AS link_id, (%(busiest)s / rank ^ 1.1)::double precision AS rate, (1 + h %% 4000) * 1000000 AS size,
    ((h >> 13) %% 1000 / 1000::float) ^ 4 * 0.8 AS failing
FROM (
    SELECT id, hashint8extended(id, %(seed)s) & 4294967295 AS h, row_number() OVER (
        ORDER BY substr(src_site, 6)::float * substr(dst_site, 6)::float
            * (1 + (hashint8extended(id, %(seed)s + 1) & 1023)), id
    ) AS rank FROM store.link
) AS ranked
"""
_SECONDS = {"10m": 600, "1h": 3600, "1d": 86400}
_STAGE_VALUES = {
    "streaming": "ms",
    "total": "ms + 4000",
    "srm_prep": "1500",
    "srm_fin": "900",
    "checksum_src": None,
    "checksum_dst": "700",
    "throughput": "size * 1000 / ms",
}


def _stage(value: str | None) -> str:
    if value is None:
        return "0, 0, NULL::bigint, NULL::bigint"
    return f"ok, ok * ({value}), CASE WHEN ok > 0 THEN ({value}) / 2 END, CASE WHEN ok > 0 THEN ({value}) * 2 END"


_MAKE = f"""
INSERT INTO store.link_{{width}} ({_COLUMNS})
SELECT at, link_id, n, ok, n - ok, 0, n * size, ok * size, n * size, 0, 0, 0,
    {", ".join(_stage(_STAGE_VALUES[stage]) for stage in STAGES)},
    least(at + interval '{{seconds}} seconds 2 minutes', %(now)s)
FROM (
    SELECT *, n - round(n * failing)::bigint AS ok, 5000 + (h >> 20 & 65535) AS ms FROM (
        SELECT to_timestamp(second) AS at, link_id, size, failing, h,
            greatest(1, round(rate * {{seconds}} / 600 * (0.5 + (h >> 36 & 1023) / 1024::float)))::bigint AS n
        FROM (
            SELECT *, hashint8extended(link_id * 1000000000::bigint + second / 600, %(seed)s) AS h
            FROM generate_series(%(begin_s)s::bigint, %(last_s)s::bigint, {{seconds}}) AS second CROSS JOIN busy
            OFFSET 0  -- or the hash would be made anew in each expression
        ) AS hashed
        WHERE (h & 1048575) / 1048576::float < 1 - exp(-least(rate * {{seconds}} / 600, 50))
    ) AS counted
) AS made ORDER BY at, link_id
"""
_ADD_UP = f"""
INSERT INTO store.link_{{width}} ({_COLUMNS})
SELECT date_bin('{{seconds}} seconds', window_start, 'epoch') AS at, link_id, {_SUMS}, max(updated_at)
FROM store.link_{{narrower}} WHERE window_start >= %(begin)s AND window_start <= %(last)s GROUP BY 1, 2 ORDER BY 1, 2
"""
_KINDS = """
INSERT INTO store.error (key_hash, scope, phase, category, code, template)
SELECT md5('kind ' || i)::uuid, (ARRAY['SOURCE', 'DESTINATION', 'TRANSFER'])[1 + i % 3],
    (ARRAY['TRANSFER_PREPARATION', 'TRANSFER', 'TRANSFER_FINALIZATION'])[1 + i % 3], 'KIND_' || i % 12,
    (2 + i % 12)::text, 'operation ' || i || ' on <path> at <host> ended after <n> s: ' || repeat('reason ', 8)
FROM generate_series(1, 60) AS i
"""
_FAILURES = """
INSERT INTO store.error_10m (window_start, link_id, error_id, count, sample_at, sample_dedupe, sample)
SELECT window_start, link_id, 1 + (h & 255) * (h & 255) %% 60, failed, window_start, h,
    'operation on /store/data/' || md5(h::text) || ' ended: ' || repeat('reason ', 12)
FROM (
    SELECT *, hashint8extended(link_id + extract(epoch FROM window_start)::bigint, %(seed)s) AS h
    FROM store.link_10m
    WHERE window_start >= %(begin)s AND window_start <= %(last)s AND failed > 0
) AS failing ORDER BY 1, 2
"""
_HISTOGRAMS = """
INSERT INTO store.link_hist (window_start, link_id, codes, counts)
SELECT window_start, link_id, ARRAY[report.hist_bin(streaming_sum / ok), 512 + report.hist_bin(total_sum / ok),
    3072 + report.hist_bin((throughput_sum / ok)::bigint)], ARRAY[ok, ok, ok]
FROM store.link_10m WHERE window_start >= %(begin)s AND window_start <= %(last)s AND ok > 0 ORDER BY 1, 2
"""
_PASSED = """
INSERT INTO store.final_pass (topic, window_end, first_at, last_at, changed)
SELECT topic, end_at, CASE WHEN over THEN end_at + interval '37 minutes' END,
    CASE WHEN over THEN end_at + interval '37 minutes' END, NOT over
FROM (VALUES ('fts.transfer'), ('xrootd.transfer')) AS t(topic), (
    SELECT DISTINCT end_at, end_at <= %(final)s::timestamptz AS over FROM (
        SELECT at + interval '10 minutes' AS end_at
        FROM generate_series(%(begin)s::timestamptz, %(last)s::timestamptz, interval '10 minutes') AS at
        UNION SELECT at + interval '1 hour' FROM generate_series(%(begin)s::timestamptz, %(last)s, '1 hour') AS at
        UNION SELECT at + interval '1 day' FROM generate_series(%(begin)s::timestamptz, %(last)s, '1 day') AS at
    ) AS ended
) AS ends
"""
_FINAL = """
INSERT INTO store.final_state (topic, final_until, held_by, looked_at)
SELECT topic, %(final)s, '', %(now)s FROM (VALUES ('fts.transfer'), ('xrootd.transfer')) AS t(topic)
"""
_SOURCES = "SELECT 'fts-' || vo || '.example' AS source FROM unnest(ARRAY['atlas', 'cms', 'lhcb', 'alice']) AS vo"
_HEARD = f"""
INSERT INTO store.source_10m (window_start, source, received, stored, duplicate, dead, lateness, lateness_max_s)
SELECT at, source, 5000, 4990, 8, 2, '{{}}', 60
FROM generate_series(%(begin)s::timestamptz, %(last)s, '10 minutes') AS at, ({_SOURCES}) AS s
"""
_FRESH = f"""
INSERT INTO store.freshness (source, last_event_at, last_received_at, last_committed_at)
SELECT source, %(now)s::timestamptz, %(now)s, %(now)s FROM ({_SOURCES}) AS s
"""
_WAITING = """
INSERT INTO store.start (event_at, dedupe, key_order, key_hash, link_id, fts, transfer_id, job_id, file_id, activity,
    topology_revision, received_at, paired)
SELECT at, i, i, hashint8extended(i, 2), 1 + i %% (SELECT max(id) FROM store.link), 'fts-atlas.example',
    'waiting-' || i, 'job-' || i, i, 'Production', 0, at, false
FROM generate_series(1, %(waiting)s::bigint) AS i
CROSS JOIN LATERAL (
    SELECT %(now)s::timestamptz - interval '1 day' * %(waiting_days)s * (i / %(waiting)s::float) ^ 3 AS at
) AS started
"""


class Filled(NamedTuple):
    """What was made: windows of links by width."""

    links: int
    windows: dict[str, int]


def fill_windows(
    connection: Connection,
    now_ms: int,
    *,
    days: int,
    links: int,
    sites: int,
    seed: int,
    progress: Callable[[int], None] = lambda days: None,
) -> Filled:
    """Windows of the ``days`` days that end at ``now_ms`` into an empty store; ``progress`` gets days done.

    ``links`` pairs of hosts among ``sites`` sites; a fifth of them has two VOs, which makes a link each, and one in 20
    is of xrootd.
    """
    midnight = now_ms // DAY_MS * DAY_MS
    first = midnight - days * DAY_MS
    last = now_ms // WIDTHS_MS["10m"] * WIDTHS_MS["10m"]
    values = {
        "seed": seed,
        "sites": sites,
        "links": links,
        "busiest": BUSIEST,
        "waiting": IN_FLIGHT,
        "waiting_days": _WAITING_DAYS,
        "now": moment(now_ms),
        "final": moment(now_ms - _FINAL_AFTER_MS),
        "begin": moment(first),
        "last": moment(last),
    }
    Partitions().ensure(connection, range(first - _WAITING_DAYS * DAY_MS, midnight + 2 * DAY_MS, DAY_MS))
    with connection, connection.cursor() as cursor:
        cursor.execute("SET work_mem = '256MB'")  # a day is sorted at once
        for statement in (_LINKS, _BUSY):
            cursor.execute(statement, values)
        cursor.execute(_KINDS)
    windows = dict.fromkeys(WIDTHS_MS, 0)
    for day in range(first, midnight + DAY_MS, DAY_MS):
        until = min(day + DAY_MS - 1, last)
        span = values | {"begin": moment(day), "last": moment(until), "begin_s": day // 1000, "last_s": until // 1000}
        with connection, connection.cursor() as cursor:
            for width, rows in _fill_day(cursor, span, has_base=(midnight - day) // DAY_MS in BASE_DAYS_AGO).items():
                windows[width] += rows
        progress(1)
    with connection, connection.cursor() as cursor:
        for statement in (_PASSED, _FINAL, _HEARD, _FRESH, _WAITING):
            cursor.execute(statement, values)
        cursor.execute("SELECT count(*) FROM store.link")
        ((number,),) = cursor.fetchall()
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
            cursor.execute("CHECKPOINT")
    finally:
        connection.autocommit = False
    return Filled(number, windows)


def _fill_day(cursor: Cursor, span: dict[str, Any], *, has_base: bool) -> dict[str, int]:
    """The windows of a day: how many of each width."""
    steps = {"10m": _MAKE, "1h": _ADD_UP, "1d": _ADD_UP} if has_base else {"1h": _MAKE, "1d": _ADD_UP}
    narrower = {"1h": "10m", "1d": "1h"}
    made = {}
    for width, statement in steps.items():
        cursor.execute(statement.format(width=width, seconds=_SECONDS[width], narrower=narrower.get(width, "")), span)
        made[width] = cursor.rowcount
    if has_base:
        cursor.execute(_FAILURES, span)
        cursor.execute(_HISTOGRAMS, span)
    return made
