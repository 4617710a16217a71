"""Applying a corrected topology or rule to the past: rows are enriched anew, their windows made from the rows.

A day at a time, each in one transaction that owns the days it rewrites (``locks.py``): writers of those days wait,
all others go on. Earlier days on which bytes of its transfers moved are rewritten with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.stages.enrich import Resolved, Topology
from pipeline.stages.errors import ErrorKey, error_key
from pipeline.stages.flows import FlowKey
from pipeline.stages.windows import LinkKey
from pipeline.store import expected, locks, settings, topologies
from pipeline.store.copying import NULL, copy_rows, texts
from pipeline.store.expected import Days
from pipeline.store.links import Keys
from pipeline.store.partitions import Partitions
from pipeline.store.verify import DAY, BelowRawFloor, Cell, compare, whole_days

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FETCH = 5000
_KEPT = 1000


class RecomputeReport(NamedTuple):
    """What changed (or would): rows whose places changed, cells of windows, the first thousand before and after."""

    days: int
    rows: int
    cells: int
    changed: int
    examples: list[Cell]


class TopologyChanged(Exception):
    """What was recomputed so far is done; the rest needs the topology that is in use now."""


class _Table(NamedTuple):
    name: str
    time: str
    sides: bool


_START = _Table("start", "event_at", False)
_TRANSFER = _Table("transfer", "ended_at", True)
_OF_TRANSFERS = ("error_id", "src_endpoint", "dst_endpoint", "src_status", "dst_status")


def recompute(
    connection: Connection,
    numbers: Connection,
    topology: Topology,
    from_ms: int | None = None,
    to_ms: int | None = None,
    dry_run: bool = False,
    told: Callable[[int, int], None] = lambda done, days: None,
) -> RecomputeReport:
    """Enrich the rows of the days that [from_ms, to_ms) touches with ``topology`` and rebuild their windows.

    ``numbers`` is a second connection, for link numbers. A dry run rolls everything back. ``told`` gets the days
    done and all their number. Raises BelowRawFloor, TopologyChanged.
    """
    keys = Keys()
    total = RecomputeReport(0, 0, 0, 0, [])
    days = whole_days(connection, from_ms, to_ms)
    for day in days:
        done = _one_day(connection, numbers, topology, keys, day)
        if dry_run:
            connection.rollback()
        else:
            connection.commit()
        total = RecomputeReport(
            total.days + 1,
            total.rows + done.rows,
            total.cells + done.cells,
            total.changed + done.changed,
            total.examples + done.examples[: _KEPT - len(total.examples)],
        )
        told(total.days, len(days))
    return total


def _one_day(connection: Connection, numbers: Connection, topology: Topology, keys: Keys, day: Days) -> RecomputeReport:
    with connection.cursor() as cursor:
        affected = _own(cursor, day, topology)
        # A table that is younger than the rows has no partitions for them yet.
        Partitions().ensure(numbers, [(each.begin - _EPOCH).days * locks.DAY_MS for each in affected])
        changed = sum(_relink(cursor, numbers, topology, keys, table, day) for table in (_START, _TRANSFER))
        cells, differing = 0, 0
        examples: list[Cell] = []
        for each in affected:
            expected.build(cursor, each)
            difference = compare(cursor, each)
            expected.install(cursor, each)
            cells += difference.cells
            differing += difference.differing
            examples += difference.examples
    return RecomputeReport(1, changed, cells, differing, examples)


def _own(cursor: Cursor, day: Days, topology: Topology) -> list[Days]:
    """Own a day and those on which bytes of its transfers moved; which these are may change until they are owned."""
    while True:
        affected = _affected(cursor, day)
        locks.share_topology(cursor)
        if topologies.latest_revision(cursor) != topology.revision:
            raise TopologyChanged("another topology was loaded meanwhile: run recompute again")
        if day.begin < _floor(cursor):
            raise BelowRawFloor(f"single transfers of {day.begin:%Y-%m-%d} were dropped meanwhile: run recompute again")
        locks.own_days(cursor, [(each.begin - _EPOCH).days for each in affected])
        if set(_affected(cursor, day)) <= set(affected):
            return affected
        cursor.connection.rollback()


def _relink(cursor: Cursor, numbers: Connection, topology: Topology, keys: Keys, table: _Table, day: Days) -> int:
    """Enrich the rows of one day anew; how many now say something else."""
    cursor.execute(
        "CREATE TEMPORARY TABLE relinked (at timestamptz, dedupe bigint, link_id int, flow_id int, error_id int,"
        " src_endpoint text, dst_endpoint text, src_status text, dst_status text) ON COMMIT DROP"
    )
    names = ("link_id", "flow_id", *(_OF_TRANSFERS if table.sides else ()))
    changed = 0
    for batch in _rows(cursor, table, day):
        placed = [_place(row, topology) for row in batch]
        links = keys.links.numbers(numbers, [place.link for place in placed])
        flows = keys.flows.numbers(numbers, [place.flow for place in placed])
        errors = keys.errors.numbers(numbers, [row.error for row in batch if row.error is not None])
        moved = []
        for row, place in zip(batch, placed, strict=True):
            error = None if row.error is None else errors[row.error]
            sides = (place.src.endpoint, place.dst.endpoint, place.src.status, place.dst.status)
            now = (links[place.link], flows[place.flow], error, *sides)
            if now[: len(names)] != row.said:
                given = f"{now[0]}\t{now[1]}\t{NULL if error is None else error}"
                moved.append(f"{row.at.isoformat()}\t{row.dedupe}\t{given}\t{texts(sides)}")
        with cursor.connection.cursor() as writing:
            copy_rows(writing, "relinked", f"at, dedupe, link_id, flow_id, {', '.join(_OF_TRANSFERS)}", moved)
        changed += len(moved)
    bounds = (day.begin, day.end)
    if changed:
        cursor.execute(
            f"UPDATE store.{table.name} AS t SET {', '.join(f'{name} = r.{name}' for name in names)},"
            f" topology_revision = %s FROM relinked AS r"
            f" WHERE t.{table.time} = r.at AND t.dedupe = r.dedupe AND t.{table.time} >= %s AND t.{table.time} < %s",
            (topology.revision, *bounds),
        )
    cursor.execute(
        f"UPDATE store.{table.name} SET topology_revision = %s"
        f" WHERE {table.time} >= %s AND {table.time} < %s AND topology_revision <> %s",
        (topology.revision, *bounds, topology.revision),
    )
    cursor.execute("DROP TABLE relinked")
    return changed


class _Row(NamedTuple):
    """A stored row: its key, what its message says of both ends, what it died of, and what ``said`` of all that now."""

    at: datetime
    dedupe: int
    key: LinkKey
    activity: str
    src: tuple[str, ...]
    dst: tuple[str, ...]
    error: ErrorKey | None
    said: tuple[Any, ...]


class _Place(NamedTuple):
    link: LinkKey
    flow: FlowKey
    src: Resolved
    dst: Resolved


def _rows(cursor: Cursor, table: _Table, day: Days) -> Iterator[list[_Row]]:
    failed = "t.state = 'failed', t.error_scope, t.error_phase, t.error_category, t.error_code, t.error_message"
    nothing = "false, '', '', '', '', ''"
    said = ("link_id", "flow_id", *(_OF_TRANSFERS if table.sides else ()))
    with cursor.connection.cursor(f"relink_{table.name}") as reading:
        reading.itersize = _FETCH
        reading.execute(
            f"SELECT t.{table.time}, t.dedupe, t.activity, t.src_rse, t.src_url, t.src_token, t.dst_rse, t.dst_url,"
            f" t.dst_token, {failed if table.sides else nothing}, {', '.join(f'k.{name}' for name in LinkKey._fields)},"
            f" {', '.join(f't.{name}' for name in said)}"
            f" FROM store.{table.name} AS t JOIN store.link AS k ON k.id = t.link_id"
            f" WHERE t.{table.time} >= %s AND t.{table.time} < %s",
            (day.begin, day.end),
        )
        while fetched := reading.fetchmany(_FETCH):
            yield [_row(row) for row in fetched]


def _row(fetched: tuple[Any, ...]) -> _Row:
    at, dedupe, activity = fetched[:3]
    failed, *facts = fetched[9:15]
    key_end = 15 + len(LinkKey._fields)
    error = error_key(*facts) if failed else None
    key = LinkKey(*fetched[15:key_end])
    return _Row(at, dedupe, key, activity, fetched[3:6], fetched[6:9], error, fetched[key_end:])


def _place(row: _Row, topology: Topology) -> _Place:
    key = row.key
    at_ms = round(row.at.timestamp() * 1000)
    src = topology.resolve(key.src_host, key.vo, at_ms, *row.src)
    dst = topology.resolve(key.dst_host, key.vo, at_ms, *row.dst)
    link = key._replace(src_site=src.site, dst_site=dst.site, src_country=src.country, dst_country=dst.country)
    flow = FlowKey(key.technology, key.fts, key.vo, row.activity, src.site, dst.site, src.endpoint, dst.endpoint)
    return _Place(link, flow, src, dst)


def _floor(cursor: Cursor) -> datetime:
    """Windows before it cannot be made again: the rows below them are gone."""
    return _EPOCH + timedelta(milliseconds=settings.raw_floor_ms(cursor) or 0)


def _affected(cursor: Cursor, day: Days) -> list[Days]:
    floor = _floor(cursor)
    cursor.execute(
        "SELECT DISTINCT moved_on AT TIME ZONE 'UTC' FROM store.transfer,"
        " generate_series(date_trunc('day', moved_from AT TIME ZONE 'UTC'), moved_to AT TIME ZONE 'UTC', '1 day')"
        " AS moved_on WHERE ended_at >= %s AND ended_at < %s"
        " AND (moved_from AT TIME ZONE 'UTC') < date_trunc('day', ended_at AT TIME ZONE 'UTC')",
        (day.begin, day.end),
    )
    others = {begin for (begin,) in cursor.fetchall() if begin >= floor}
    return [Days(begin, begin + DAY) for begin in sorted({day.begin, *others})]
