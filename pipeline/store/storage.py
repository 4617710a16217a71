"""What the store takes on disk and how far back it reaches, by kind of table; mostly out of the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.store import settings
from pipeline.store.partitions import BASE, DAILY, HOURLY, RAW, Partition, existing

KINDS = {"raw": RAW, "10m": BASE, "1h": HOURLY, "1d": DAILY}
"""Single messages, and windows by their width."""

_MEASURED_DAYS = 7


class Kind(NamedTuple):
    """The tables of a kind: partitions, where the oldest and the newest of these begin and end (ms since the epoch),
    bytes with all indexes. ``per_million``: bytes a million transfers, over the days whose transfers are kept; None
    without any, and where partitions hold more than such days."""

    kind: str
    partitions: int
    begin_ms: int | None
    end_ms: int | None
    bytes: int
    per_million: int | None


class Storage(NamedTuple):
    """``raw_floor_ms``: nothing before it is let in any more. ``transfers``: rows that are kept, estimated by
    PostgreSQL's own statistics for partitions that have some."""

    raw_floor_ms: int | None
    transfers: int
    kinds: tuple[Kind, ...]


def storage(connection: Connection) -> Storage:
    """How much there is. Counts rows only where PostgreSQL never did."""
    with connection, connection.cursor() as cursor:
        floor_ms = settings.raw_floor_ms(cursor)
        by_day = {part.begin_ms: _rows(cursor, part.name) for part in existing(cursor, ("transfer",))}
        transfers = sum(by_day.values())
        with_rows = {day for day, rows in by_day.items() if rows}
        kinds = (_kind(cursor, kind, tables, with_rows, transfers) for kind, tables in KINDS.items())
        return Storage(floor_ms, transfers, tuple(kinds))


def database_files(connection: Connection) -> tuple[int, Path | None]:
    """Bytes of the database, and the folder of its server, on its machine: None where our login is not told."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_database_size(current_database()),"
            " (SELECT setting FROM pg_settings WHERE name = 'data_directory')"
        )
        ((size, folder),) = cursor.fetchall()
    return size, None if folder is None else Path(folder)


class Growth(NamedTuple):
    """What a full day adds to tables that are kept for a time: ``bytes`` with all indexes, the mean of the last full
    days that have rows, and how many such ``days`` there are."""

    kind: str
    bytes: int
    days: int


def growth(connection: Connection, now_ms: int) -> list[Growth]:
    """Of single messages and base windows, out of the partitions of days that are over; none of a kind without any."""
    with connection, connection.cursor() as cursor:
        found = [_growth(cursor, kind, now_ms) for kind in ("raw", "10m")]
    return [each for each in found if each.days]


def _growth(cursor: Cursor, kind: str, now_ms: int) -> Growth:
    parts = [part for part in existing(cursor, KINDS[kind]) if part.end_ms <= now_ms]
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'store'::regnamespace AND relname = ANY(%s)"
        " AND pg_relation_size(oid) > 0",
        ([part.name for part in parts],),
    )
    written = {name for (name,) in cursor.fetchall()}
    days = sorted({part.begin_ms for part in parts if part.name in written})
    newest = set(days[-_MEASURED_DAYS:])
    sizes = _sizes(cursor, [part for part in parts if part.begin_ms in newest])
    return Growth(kind, round(sum(sizes.values()) / max(1, len(newest))), len(days))


def _kind(cursor: Cursor, kind: str, tables: tuple[str, ...], with_rows: set[int], transfers: int) -> Kind:
    parts = existing(cursor, tables)
    sizes = _sizes(cursor, parts)
    begin_ms = min((part.begin_ms for part in parts), default=None)
    end_ms = max((part.end_ms for part in parts), default=None)
    per_million = None
    if transfers and kind in ("raw", "10m"):
        of_transfers = sum(sizes.get(part.name, 0) for part in parts if part.begin_ms in with_rows)
        per_million = round(of_transfers * 1_000_000 / transfers)
    return Kind(kind, len(parts), begin_ms, end_ms, sum(sizes.values()), per_million)


def _sizes(cursor: Cursor, parts: list[Partition]) -> dict[str, int]:
    """By name. One that is dropped meanwhile has none."""
    cursor.execute(
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
        " WHERE relnamespace = 'store'::regnamespace AND relname = ANY(%s)",
        ([part.name for part in parts],),
    )
    return {name: size for name, size in cursor.fetchall() if size is not None}


def _rows(cursor: Cursor, name: str) -> int:
    """Rows of a partition: as PostgreSQL's planner estimates them, counted where it was never analysed."""
    cursor.execute(
        "SELECT reltuples, relpages, pg_relation_size(oid) / current_setting('block_size')::int FROM pg_class"
        " WHERE relnamespace = 'store'::regnamespace AND relname = %s",
        (name,),
    )
    row = cursor.fetchone()
    if row is None or not row[2]:
        return 0
    tuples, pages, pages_now = row
    if tuples >= 0 and pages > 0:
        return int(tuples / pages * pages_now)
    cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("store", name)))
    counted = cursor.fetchone()
    assert counted is not None
    return int(counted[0])
