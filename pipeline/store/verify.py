"""Do the windows still say what the rows below them say? Compares every cell; writes only the protocol of its run.

Each day is compared in one snapshot, in which every batch is there whole or not at all: writers go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.stages.errors import ErrorKey
from pipeline.stages.flows import FlowKey
from pipeline.stages.windows import LinkKey
from pipeline.store import expected, settings
from pipeline.store.expected import FAMILIES, Days, Family
from pipeline.store.partitions import BASE, RAW, existing

_KEPT = 1000
DAY = timedelta(days=1)


class BelowRawFloor(Exception):
    """The rows that this range would be computed from were dropped."""


Value = int | str | None


class Cell(NamedTuple):
    """One cell that differs: where it is (``key`` by the fields of LinkKey, FlowKey and ErrorKey), what is stored, what
    the rows say. ``None`` where there is no such row."""

    table: str
    window_start: datetime
    key: dict[str, str]
    column: str
    stored: Value
    recomputed: Value


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
        # Every row makes the partitions of its day in all tables, so they tell which days may have rows; those that
        # were made ahead were never written to.
        days = existing(cursor, (*RAW, *BASE))
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'store'::regnamespace AND relname = ANY(%s)"
            " AND pg_relation_size(oid) > 0",
            ([day.name for day in days],),
        )
        written = {name for (name,) in cursor.fetchall()}
        starts = [_moment(begin_ms) for begin_ms in sorted({day.begin_ms for day in days if day.name in written})]
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
    windows = (_compare_windows(cursor, family, width, days) for family in FAMILIES for width in family.widths)
    for found in (*windows, _compare_histograms(cursor, days)):
        cells += found.cells
        differing += found.differing
        examples += found.examples[: _KEPT - len(examples)]
    return Difference(cells, differing, _with_keys(cursor, examples))


_Example = tuple[str, datetime, dict[str, Any], str, Value, Value]
"""A ``Cell`` whose key is still numbers, by the columns of _KEYS, or a value of its own."""

_KEYS = {
    "link_id": ("link", LinkKey._fields),
    "flow_id": ("flow", FlowKey._fields),
    "error_id": ("error", ErrorKey._fields),
}


class _Found(NamedTuple):
    cells: int
    differing: int
    examples: list[_Example]


def _compare_windows(cursor: Cursor, family: Family, width: str, days: Days) -> _Found:
    table, measures, ids = f"{family.name}_{width}", family.measures, ", ".join(family.ids)
    stored = ", ".join(f"s.{name}" for name in measures)
    wanted = ", ".join(f"e.{name}" for name in measures)
    join = (
        f"(SELECT * FROM store.{table} WHERE window_start >= %s AND window_start < %s) AS s"
        f" FULL JOIN expected_{table} AS e USING (window_start, {ids})"
    )
    bounds = (days.begin, days.end)
    cursor.execute(f"SELECT count(*) FROM {join}", bounds)
    row = cursor.fetchone()
    cells = (row[0] if row else 0) * len(measures)
    cursor.execute(
        f"SELECT window_start, {ids}, {stored}, {wanted} FROM {join}"
        f" WHERE ({stored}) IS DISTINCT FROM ({wanted}) ORDER BY window_start, {ids}",
        bounds,
    )
    differing = 0
    examples: list[_Example] = []
    for window_start, *values in cursor:
        key, values = dict(zip(family.ids, values, strict=False)), values[len(family.ids) :]
        pairs = zip(measures, values[: len(measures)], values[len(measures) :], strict=True)
        for name, mine, theirs in pairs:
            if mine != theirs:
                differing += 1
                if len(examples) < _KEPT:
                    examples.append((table, window_start, key, name, _plain(mine), _plain(theirs)))
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
    examples: list[_Example] = []
    if differing:
        cursor.execute(
            f"SELECT window_start, link_id, code, s.n, e.n FROM {join}"
            f" WHERE s.n IS DISTINCT FROM e.n ORDER BY 1, 2, 3 LIMIT {_KEPT}",
            bounds,
        )
        examples = [
            ("link_hist", window_start, {"link_id": link_id}, f"code {code}", stored, wanted)
            for window_start, link_id, code, stored, wanted in cursor
        ]
    return _Found(cells, differing, examples)


def _with_keys(cursor: Cursor, examples: list[_Example]) -> list[Cell]:
    """Examples with the fields of their keys, read for all of them at once."""
    wanted: dict[str, set[Any]] = {name: set() for name in _KEYS}
    for _, _, ids, *_ in examples:
        for name, value in ids.items():
            wanted.setdefault(name, set()).add(value)
    known = {name: _fields(cursor, *_KEYS[name], wanted[name]) for name in _KEYS}
    cells = []
    for table, start, ids, column, stored, recomputed in examples:
        key: dict[str, str] = {}
        for name, value in ids.items():
            key |= known[name][value] if name in known else {name: value}
        cells.append(Cell(table, start, key, column, stored, recomputed))
    return cells


def _fields(cursor: Cursor, table: str, names: tuple[str, ...], numbers: set[int]) -> dict[int, dict[str, str]]:
    cursor.execute(f"SELECT id, {', '.join(names)} FROM store.{table} WHERE id = ANY(%s)", (sorted(numbers),))
    return {number: dict(zip(names, key, strict=True)) for number, *key in cursor}


def _plain(value: object) -> Value:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).isoformat(timespec='milliseconds')}"
    return value if value is None or isinstance(value, str) else int(str(value))


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC) + timedelta(milliseconds=ms % 1000)
