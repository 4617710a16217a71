"""Partitions of the tables that grow with time, made when the first row of their time comes.

Attaching takes a lock that lets writers go on; one advisory lock keeps two makers apart.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from psycopg2 import sql
from psycopg2.extensions import connection as Connection

_MAKER_LOCK = 0x7473_7061


class _Scheme(NamedTuple):
    table: str
    step: str


_BY_DAY = (
    *("start", "transfer", "file_state", "link_10m", "link_hist", "file_state_10m", "flow_10m", "error_10m"),
    *("queue_message", "queue_sample"),
)
_BY_MONTH = ("link_1h", "flow_1h")
_BY_YEAR = ("link_1d", "flow_1d")
_SCHEMES = (
    *(_Scheme(table, "day") for table in _BY_DAY),
    *(_Scheme(table, "month") for table in _BY_MONTH),
    *(_Scheme(table, "year") for table in _BY_YEAR),
)
_REWRITTEN = ("link_1", "flow_1", "error_1", "file_state_1")


class _Part(NamedTuple):
    table: str
    name: str
    begin: str
    end: str


class Partitions:
    """Makes sure that the partitions of some days exist; remembers which do, so asking again costs nothing."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def ensure(self, connection: Connection, days_ms: Iterable[int]) -> None:
        """Make what is missing for these days (ms of each midnight UTC), in a transaction of its own."""
        missing = [day for day in days_ms if day not in self._known]
        if not missing:
            return
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKER_LOCK,))
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


def _create(cursor: object, part: _Part) -> None:
    name, parent = sql.Identifier("store", part.name), sql.Identifier("store", part.table)
    # Window rows are rewritten many times: room in each page lets Postgres do it in place.
    storage = sql.SQL(" WITH (fillfactor = 60)") if part.table.startswith(_REWRITTEN) else sql.SQL("")
    cursor.execute(  # type: ignore[attr-defined]
        sql.SQL(
            "CREATE TABLE {name} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES){storage};"
            "ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ({begin}) TO ({end})"
        ).format(
            name=name,
            parent=parent,
            storage=storage,
            begin=sql.Literal(part.begin),
            end=sql.Literal(part.end),
        )
    )
