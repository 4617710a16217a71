"""Partitions of the tables that grow with time, made ahead, or when the first row of their time comes.

Attaching takes a lock that lets writers go on; one advisory lock keeps two makers apart. None is made before the raw
floor, whoever asks: what lies there was dropped, and stays so. A function of the owner makes them, because writers own
no table.
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.store import settings

_MAKER_LOCK = 0x7473_7061


class _Scheme(NamedTuple):
    table: str
    step: str


RAW = ("start", "transfer", "file_state", "queue_message")
"""Single messages, a partition a day."""

BASE = ("link_10m", "link_hist", "file_state_10m", "flow_10m", "error_10m", "queue_sample")
"""Windows of ten minutes and what they are made of, a partition a day."""

HOURLY = ("link_1h", "flow_1h")
"""Windows of an hour, a partition a month."""

DAILY = ("link_1d", "flow_1d")
"""Windows of a day, a partition a year."""

_SCHEMES = (
    *(_Scheme(table, "day") for table in (*RAW, *BASE)),
    *(_Scheme(table, "month") for table in HOURLY),
    *(_Scheme(table, "year") for table in DAILY),
)
_NAME = re.compile(r"(\w+)_p(\d{4})(\d\d)?(\d\d)?")
DAY_MS = 86_400_000
_REWRITTEN = ("link_1", "flow_1", "error_1", "file_state_1")


class _Part(NamedTuple):
    table: str
    name: str
    begin: str
    end: str


class Partition(NamedTuple):
    """A partition that is there, with the time that it holds: [begin, end) in ms since the epoch."""

    table: str
    name: str
    begin_ms: int
    end_ms: int


def existing(cursor: Cursor, tables: Iterable[str]) -> list[Partition]:
    """The partitions of these tables, by rising time."""
    cursor.execute(
        "SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
        " JOIN pg_class AS p ON p.oid = i.inhparent"
        " WHERE p.relnamespace = 'store'::regnamespace AND p.relkind = 'p' AND p.relname = ANY(%s)",
        (list(tables),),
    )
    return sorted((_parsed(name) for (name,) in cursor.fetchall()), key=lambda each: (each.end_ms, each.name))


def _parsed(name: str) -> Partition:
    found = _NAME.fullmatch(name)
    assert found is not None, f"store.{name} was not made here"
    table, year, month, day = found[1], int(found[2]), int(found[3] or 1), int(found[4] or 1)
    if found[4]:
        days = 1
    elif found[3]:
        days = monthrange(year, month)[1]
    else:
        days = 366 if isleap(year) else 365
    begin_ms = int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000
    return Partition(table, name, begin_ms, begin_ms + days * DAY_MS)


def own_making(cursor: Cursor) -> None:
    """Keep makers of partitions waiting until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKER_LOCK,))


class Partitions:
    """Makes sure that the partitions of some days exist; remembers which do, so asking again costs nothing."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def ensure(self, connection: Connection, days_ms: Iterable[int]) -> None:
        """Make what is missing for these days (ms of each midnight UTC), in a transaction of its own.

        Days before the raw floor get none.
        """
        missing = [day for day in days_ms if day not in self._known]
        if not missing:
            return
        with connection, connection.cursor() as cursor:
            own_making(cursor)
            floor_ms = settings.raw_floor_ms(cursor)
            missing = [day for day in missing if floor_ms is None or day >= floor_ms]
            parts = {part.name: part for day in missing for part in _parts_of(day)}
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'store'::regnamespace AND relname = ANY(%s)",
                (sorted(parts),),
            )
            for (name,) in cursor.fetchall():
                del parts[name]
            for part in sorted(parts.values()):
                _create(cursor, part)
        self._known.update(missing)

    def forget(self) -> None:
        """Look again next time: a partition that was thought to exist does not."""
        self._known.clear()


def _parts_of(day_ms: int) -> list[_Part]:
    day = datetime.fromtimestamp(day_ms // 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [_part(scheme, day) for scheme in _SCHEMES]


def _part(scheme: _Scheme, day: datetime) -> _Part:
    if scheme.step == "day":
        begin, suffix = day, f"{day:%Y%m%d}"
        following = (day.year, day.month, day.day + 1)
    elif scheme.step == "month":
        begin, suffix = day.replace(day=1), f"{day:%Y%m}"
        following = (day.year, day.month + 1, 1)
    else:
        begin, suffix = day.replace(month=1, day=1), f"{day:%Y}"
        following = (day.year + 1, 1, 1)
    return _Part(scheme.table, f"{scheme.table}_p{suffix}", begin.isoformat(), _midnight(*following))


def _midnight(year: int, month: int, day: int) -> str:
    """A bound as Postgres reads it; month and day may be one past their end, as may the last year that Python knows."""
    if month > 12:
        year, month = year + 1, 1
    if day > monthrange(min(year, 9999), month)[1]:
        return _midnight(year, month + 1, 1)
    return f"{year:04d}-{month:02d}-{day:02d}T00:00:00+00:00"


def _create(cursor: Cursor, part: _Part) -> None:
    # Window rows are rewritten many times: room in each page lets Postgres do it in place.
    fill = 60 if part.table.startswith(_REWRITTEN) else 100
    cursor.execute("SELECT store.make_partition(%s, %s, %s, %s, %s)", (*part, fill))
