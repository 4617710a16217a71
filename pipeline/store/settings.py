"""What views and writers agree on, kept in the database (``store.setting``)."""

from __future__ import annotations

from psycopg2.extensions import cursor as Cursor

_LOST_AFTER = "lost_after_s"
_RAW_FLOOR = "raw_floor_ms"


def raw_floor_ms(cursor: Cursor) -> int | None:
    """The end of the newest day whose raw rows were dropped, ms since the epoch; None in a new store."""
    cursor.execute("SELECT value::bigint FROM store.setting WHERE name = %s", (_RAW_FLOOR,))
    row = cursor.fetchone()
    return int(row[0]) if row else None


def in_use(cursor: Cursor) -> tuple[int, int | None]:
    """What batches must be prepared with: the topology revision (0 when none was loaded) and the raw floor."""
    cursor.execute(
        "SELECT (SELECT coalesce(max(revision), 0) FROM store.topology),"
        " (SELECT value::bigint FROM store.setting WHERE name = %s)",
        (_RAW_FLOOR,),
    )
    row = cursor.fetchone()
    assert row is not None
    return int(row[0]), row[1]


def raise_raw_floor(cursor: Cursor, floor_ms: int) -> None:
    """Rows before this are not kept any more. It never falls. The caller keeps writers out (``locks.own_topology``)."""
    cursor.execute(
        "INSERT INTO store.setting AS s (name, value) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE s.value::bigint < excluded.value::bigint",
        (_RAW_FLOOR, str(floor_ms)),
    )


def set_lost_after(cursor: Cursor, hours: int) -> None:
    """From which age on the views call a start without a complete lost."""
    cursor.execute(
        "INSERT INTO store.setting (name, value) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_LOST_AFTER, str(hours * 3600)),
    )
