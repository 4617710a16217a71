"""What the report views hold, as plain values: for checks that compare a whole store with what should be in it."""

from __future__ import annotations

from typing import Any, NamedTuple

from psycopg2.extensions import connection as Connection

from schemas.events import STAGES

_KEY = ("fts", "vo", "channel", "src_host", "dst_host")
_COUNTS = ("started", "ok", "failed", "aborted", "bytes", "bytes_ok", "bytes_moved")
_MS = "(extract(epoch FROM {}) * 1000)::bigint"

WindowRow = dict[str, Any]


class Contents(NamedTuple):
    """A whole store. Window keys are (window start in ms, fts, vo, channel, source host, destination host).

    ``pairs``: (fts, id, event time in ms) of each paired complete -> (id, time in ms) of its start. ``in_flight``:
    (fts, id, time in ms) of each unpaired start. ``dead``: dead letters by reason.
    """

    windows: dict[str, dict[tuple[Any, ...], WindowRow]]
    pairs: dict[tuple[str, str, int], tuple[str, int]]
    in_flight: set[tuple[str, str, int]]
    dead: dict[str, int]


def read_back(connection: Connection) -> Contents:
    """Read everything in one snapshot. For stores of a test's or demonstration's size."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        windows: dict[str, dict[tuple[Any, ...], WindowRow]] = {}
        key = ", ".join(f"coalesce({name}, '')" for name in _KEY)
        counts = ", ".join(f"sum({name})::bigint" for name in _COUNTS)
        stages = ", ".join(
            f"sum({stage}_count)::bigint, sum({stage}_sum)::numeric, min({stage}_min), max({stage}_max)"
            for stage in STAGES
        )
        for width in ("10m", "1h", "1d"):
            cursor.execute(
                f"SELECT {_MS.format('window_start')}, {key}, {counts}, {stages}"
                f" FROM report.link_{width} GROUP BY window_start, {', '.join(_KEY)}"
            )
            windows[width] = {row[:6]: _window(row[6:]) for row in cursor.fetchall()}
        cursor.execute(
            f"SELECT coalesce(fts, ''), transfer_id, {_MS.format('ended_at')}, start_transfer_id,"
            f" {_MS.format('start_message_at')} FROM report.transfer WHERE start_message_at IS NOT NULL"
        )
        pairs = {row[:3]: row[3:] for row in cursor.fetchall()}
        cursor.execute(f"SELECT coalesce(fts, ''), transfer_id, {_MS.format('started_at')} FROM report.in_flight")
        in_flight = set(cursor.fetchall())
        cursor.execute("SELECT reason, count(*) FROM report.dead_letter GROUP BY 1")
        return Contents(windows, pairs, in_flight, dict(cursor.fetchall()))


def _window(values: tuple[Any, ...]) -> WindowRow:
    row: WindowRow = dict(zip(_COUNTS, values[: len(_COUNTS)], strict=True))
    for number, stage in enumerate(STAGES):
        count, total, least, most = values[len(_COUNTS) + number * 4 :][:4]
        row[stage] = (count, int(total), least, most)
    return row
