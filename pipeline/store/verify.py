"""Do the windows still say what the rows below them say? Compares every cell; writes only the protocol of its run.

Each day is compared in one snapshot, in which every batch is there whole or not at all: writers go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.stages.windows import LinkKey
from pipeline.store import expected, file_states, settings
from pipeline.store.expected import MEASURES, SPANS, Days

_KEPT = 1000
DAY = timedelta(days=1)


class BelowRawFloor(Exception):
    """The rows that this range would be computed from were dropped."""


class Cell(NamedTuple):
    """One cell that differs: where it is, what is stored, what the rows say. ``None`` where there is no such row."""

    table: str
    window_start: datetime
    link: LinkKey
    column: str
    stored: int | None
    recomputed: int | None


class VerifyReport(NamedTuple):
    """``cells`` compared, ``differing`` of them; the first thousand of these in ``examples``."""

    window_from: datetime
    window_to: datetime
    cells: int
    differing: int
    examples: list[Cell]


class Difference(NamedTuple):
    """What comparing one day gave."""

    cells: int
    differing: int
    examples: list[Cell]


def whole_days(connection: Connection, from_ms: int | None, to_ms: int | None) -> list[Days]:
    """The days with rows that [from_ms, to_ms) touches; None is open. Raises BelowRawFloor."""
    with connection, connection.cursor() as cursor:
        floor_ms = settings.raw_floor_ms(cursor)
        if floor_ms is not None and from_ms is not None and from_ms < floor_ms:
            raise BelowRawFloor(
                f"single transfers before {_moment(floor_ms):%Y-%m-%d} are no longer kept: choose a later start"
            )
        # Every row makes the partitions of its day in all tables (partitions.py), so they tell which days have rows.
        cursor.execute(
            "SELECT right(c.relname, 8) FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'store.link_10m'::regclass ORDER BY 1"
        )
        starts = [datetime.strptime(f"{name} +0000", "%Y%m%d %z") for (name,) in cursor.fetchall()]
    first = None if floor_ms is None else _moment(floor_ms)
    return [
        Days(day, day + DAY)
        for day in starts
        if (first is None or day >= first)
        and (from_ms is None or day + DAY > _moment(from_ms))
        and (to_ms is None or day < _moment(to_ms))
    ]


def verify(
    connection: Connection,
    from_ms: int | None = None,
    to_ms: int | None = None,
    told: Callable[[int, int], None] = lambda done, days: None,
) -> VerifyReport:
    """Compare all windows of the days that [from_ms, to_ms) touches.

    ``told`` gets the days done and all their number. Raises BelowRawFloor.
    """
    days = whole_days(connection, from_ms, to_ms)
    cells, differing = 0, 0
    examples: list[Cell] = []
    connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ)
    try:
        for number, day in enumerate(days, 1):
            with connection, connection.cursor() as cursor:
                expected.build(cursor, day)
                difference = compare(cursor, day)
            cells += difference.cells
            differing += difference.differing
            examples += difference.examples[: _KEPT - len(examples)]
            told(number, len(days))
    finally:
        connection.set_session(isolation_level="DEFAULT")
    now = datetime.now(UTC)
    window_from = days[0].begin if days else (_moment(from_ms) if from_ms is not None else now)
    window_to = days[-1].end if days else (_moment(to_ms) if to_ms is not None else now)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store.verify_run (window_from, window_to, cells, differing) VALUES (%s, %s, %s, %s)",
            (window_from, window_to, cells, differing),
        )
    return VerifyReport(window_from, window_to, cells, differing, examples)


def compare(cursor: Cursor, days: Days) -> Difference:
    """Compare the stored windows of some days with the expected ones that ``expected.build`` made."""
    cells, differing = 0, 0
    examples: list[_Example] = []
    windows = [_compare_windows(cursor, width, days) for width in SPANS]
    for found in (*windows, _compare_histograms(cursor, days), _compare_states(cursor, days)):
        cells += found.cells
        differing += found.differing
        examples += found.examples[: _KEPT - len(examples)]
    return Difference(cells, differing, _with_links(cursor, examples))


_Example = tuple[str, datetime, int, str, int | None, int | None]
"""A ``Cell`` whose link is still a number."""


class _Found(NamedTuple):
    cells: int
    differing: int
    examples: list[_Example]


def _compare_windows(cursor: Cursor, width: str, days: Days) -> _Found:
    stored = ", ".join(f"s.{name}" for name in MEASURES)
    wanted = ", ".join(f"e.{name}" for name in MEASURES)
    join = (
        f"(SELECT * FROM store.link_{width} WHERE window_start >= %s AND window_start < %s) AS s"
        f" FULL JOIN expected_{width} AS e USING (window_start, link_id)"
    )
    bounds = (days.begin, days.end)
    cursor.execute(f"SELECT count(*) FROM {join}", bounds)
    row = cursor.fetchone()
    cells = (row[0] if row else 0) * len(MEASURES)
    cursor.execute(
        f"SELECT window_start, link_id, {stored}, {wanted} FROM {join}"
        f" WHERE ({stored}) IS DISTINCT FROM ({wanted}) ORDER BY 1, 2",
        bounds,
    )
    differing = 0
    examples: list[_Example] = []
    for window_start, link_id, *values in cursor:
        pairs = zip(MEASURES, values[: len(MEASURES)], values[len(MEASURES) :], strict=True)
        for name, mine, theirs in pairs:
            if mine != theirs:
                differing += 1
                if len(examples) < _KEPT:
                    examples.append((f"link_{width}", window_start, link_id, name, _whole(mine), _whole(theirs)))
    return _Found(cells, differing, examples)


def _compare_histograms(cursor: Cursor, days: Days) -> _Found:
    join = (
        "(SELECT h.window_start, h.link_id, u.code, sum(u.n)::bigint AS n"
        " FROM store.link_hist AS h, unnest(h.codes, h.counts) AS u(code, n)"
        " WHERE h.window_start >= %s AND h.window_start < %s GROUP BY 1, 2, 3) AS s"
        " FULL JOIN expected_hist AS e USING (window_start, link_id, code)"
    )
    bounds = (days.begin, days.end)
    cursor.execute(f"SELECT count(*), count(*) FILTER (WHERE s.n IS DISTINCT FROM e.n) FROM {join}", bounds)
    row = cursor.fetchone()
    cells, differing = row if row else (0, 0)
    examples = []
    if differing:
        cursor.execute(
            f"SELECT window_start, link_id, code, s.n, e.n FROM {join}"
            f" WHERE s.n IS DISTINCT FROM e.n ORDER BY 1, 2, 3 LIMIT {_KEPT}",
            bounds,
        )
        examples = [
            ("link_hist", window_start, link_id, f"code {code}", stored, wanted)
            for window_start, link_id, code, stored, wanted in cursor
        ]
    return _Found(cells, differing, examples)


def _compare_states(cursor: Cursor, days: Days) -> _Found:
    measures = file_states.MEASURES
    stored, wanted = (", ".join(f"{side}.{name}" for name in measures) for side in "se")
    join = (
        "(SELECT * FROM store.file_state_10m WHERE window_start >= %s AND window_start < %s) AS s"
        " FULL JOIN expected_states AS e USING (window_start, link_id, state)"
    )
    bounds = (days.begin, days.end)
    cursor.execute(f"SELECT count(*) FROM {join}", bounds)
    row = cursor.fetchone()
    cursor.execute(
        f"SELECT window_start, link_id, state, {stored}, {wanted} FROM {join}"
        f" WHERE ({stored}) IS DISTINCT FROM ({wanted}) ORDER BY 1, 2, 3",
        bounds,
    )
    differing = 0
    examples: list[_Example] = []
    for window_start, link_id, state, *values in cursor:
        for name, mine, theirs in zip(measures, values[: len(measures)], values[len(measures) :], strict=True):
            if mine != theirs:
                differing += 1
                if len(examples) < _KEPT:
                    examples.append(("file_state_10m", window_start, link_id, f"{name} of {state}", mine, theirs))
    return _Found((row[0] if row else 0) * len(measures), differing, examples)


def _with_links(cursor: Cursor, examples: list[_Example]) -> list[Cell]:
    cursor.execute(
        f"SELECT id, {', '.join(LinkKey._fields)} FROM store.link WHERE id = ANY(%s)",
        (sorted({link_id for _, _, link_id, *_ in examples}),),
    )
    links = {link_id: LinkKey(*key) for link_id, *key in cursor}
    return [Cell(table, start, links[link], column, *both) for table, start, link, column, *both in examples]


def _whole(value: object) -> int | None:
    return None if value is None else int(str(value))


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC) + timedelta(milliseconds=ms % 1000)
