"""Applying a corrected topology or rule to the past: rows are enriched anew, their windows made from the rows.

A day at a time, each in one transaction that owns the days it rewrites (``locks.py``): writers of those days wait,
all others go on. Earlier days on which bytes of its transfers moved are rewritten with it if these transfers changed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.stages.enrich import Topology
from pipeline.store import expected, finality, locks, settings, topologies
from pipeline.store.expected import Days
from pipeline.store.partitions import Partitions
from pipeline.store.relink import Relinking, moved_on
from pipeline.store.verify import BelowRawFloor, Cell, compare, whole_days

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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
    relinking = Relinking(numbers, topology)
    total = RecomputeReport(0, 0, 0, 0, [])
    days = whole_days(connection, from_ms, to_ms)
    for day in days:
        done = _one_day(connection, relinking, topology.revision, numbers, day)
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


def _one_day(
    connection: Connection, relinking: Relinking, revision: int, numbers: Connection, day: Days
) -> RecomputeReport:
    with connection.cursor() as cursor:
        owned = _own(cursor, day, revision)
        # A table that is younger than the rows has no partitions for them yet.
        Partitions().ensure(numbers, [(each.begin - _EPOCH).days * locks.DAY_MS for each in owned])
        changed = relinking.relink(cursor, day)
        cells, differing = 0, 0
        examples: list[Cell] = []
        for each in sorted({day} | _earlier(cursor, day, all_rows=False)):
            expected.build(cursor, each)
            difference = compare(cursor, each)
            expected.install(cursor, each)
            finality.note_rebuilt(cursor, each.begin, each.end)
            cells += difference.cells
            differing += difference.differing
            examples += difference.examples
    return RecomputeReport(1, changed, cells, differing, examples)


def _own(cursor: Cursor, day: Days, revision: int) -> list[Days]:
    """Own a day and those on which bytes of its transfers moved; which these are may change until they are owned."""
    while True:
        affected = sorted({day} | _earlier(cursor, day, all_rows=True))
        locks.share_topology(cursor)
        if topologies.latest_revision(cursor) != revision:
            raise TopologyChanged("another topology was loaded meanwhile: run recompute again")
        if day.begin < _floor(cursor):
            raise BelowRawFloor(f"single transfers of {day.begin:%Y-%m-%d} were dropped meanwhile: run recompute again")
        locks.own_days(cursor, [(each.begin - _EPOCH).days for each in affected])
        if _earlier(cursor, day, all_rows=True) <= set(affected):
            return affected
        cursor.connection.rollback()


def _earlier(cursor: Cursor, day: Days, all_rows: bool) -> set[Days]:
    """Earlier days, as far as their windows can be made again, on which bytes of this day's transfers moved."""
    floor = _floor(cursor)
    return {each for each in moved_on(cursor, day, all_rows) if each.begin >= floor}


def _floor(cursor: Cursor) -> datetime:
    """Windows before it cannot be made again: the rows below them are gone."""
    return _EPOCH + timedelta(milliseconds=settings.raw_floor_ms(cursor) or 0)
