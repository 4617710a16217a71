"""What the report views hold, as plain values: for checks that compare a whole store with what should be in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from schemas.events import STAGES

WIDTHS = ("10m", "1h", "1d")
_LINK = ("technology", "fts", "vo", "channel", "src_host", "dst_host")
_ENDPOINTS = ("technology", "fts", "vo", "src_endpoint", "dst_endpoint")
_ACTIVITY = ("technology", "fts", "vo", "activity")
_ERROR = ("fts", "vo", "channel", "src_host", "dst_host", "scope", "phase", "category", "code")
_STATE = ("fts", "vo", "src_host", "dst_host", "state")
_QUEUE = ("fts", "vo", "channel", "src_host", "dst_host")
_COUNTS = ("started", "ok", "failed", "aborted", "bytes", "bytes_ok", "bytes_moved")
_MS = "(extract(epoch FROM {}) * 1000)::bigint"

Row = dict[str, Any]
Rows = dict[tuple[Any, ...], Row]
Start = tuple[str, str, int]


class Contents(NamedTuple):
    """A whole store. Rows are by the columns that follow, the window's start (ms) first, "none" as ``""``; rows that
    differ in nothing but sites are one.

    ``windows``, ``endpoints``, ``activities`` are by width (10m, 1h, 1d): technology, fts, vo, then channel, source and
    destination host, or both endpoints, or the activity. ``errors``: fts, vo, channel, hosts, scope, phase, category,
    code. ``states``: fts, vo, hosts, state. ``samples`` (their time in the window's place) and ``queues``: fts, vo,
    channel, hosts. ``pairs``: (fts, id, event time in ms) of each paired complete -> (id, time in ms) of its start.
    ``in_flight``: (fts, id, time in ms) of each unpaired start; ``closed``: those that a state message closed.
    ``dead``: dead letters by reason.
    """

    windows: dict[str, Rows]
    endpoints: dict[str, Rows]
    activities: dict[str, Rows]
    errors: Rows
    states: Rows
    samples: Rows
    queues: Rows
    pairs: dict[tuple[str, str, int], tuple[str, int]]
    in_flight: set[Start]
    closed: set[Start]
    dead: dict[str, int]


def read_back(connection: Connection) -> Contents:
    """Read everything in one snapshot. For stores of a test's or demonstration's size."""
    counts = [(name, f"sum({name})::bigint") for name in _COUNTS]
    measures = [cell for stage in STAGES for cell in _measure(stage)]
    of_states = [("count", "sum(count)::bigint"), *_measure("wait"), *_measure("staging")]
    of_samples = [(name, f"max({name})") for name in ("active", "ready", "ratio")]
    of_queues = [("samples", "max(samples)")]
    of_queues += [(f"{n}_{what}", f"max({n}_{what})") for n, _ in of_samples for what in ("last", "avg", "max")]
    with connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        in_flight = _in_flight(cursor)
        return Contents(
            windows={width: _rows(cursor, f"link_{width}", _LINK, counts + measures) for width in WIDTHS},
            endpoints={width: _rows(cursor, f"endpoint_{width}", _ENDPOINTS, counts) for width in WIDTHS},
            activities={width: _rows(cursor, f"activity_{width}", _ACTIVITY, counts) for width in WIDTHS},
            errors=_rows(cursor, "error_10m", _ERROR, [("count", "sum(count)::bigint")]),
            states=_rows(cursor, "file_state_10m", _STATE, of_states),
            samples=_rows(cursor, "queue_sample", _QUEUE, of_samples, time="sampled_at"),
            queues=_rows(cursor, "queue_10m", _QUEUE, of_queues),
            pairs=_pairs(cursor),
            in_flight=set(in_flight),
            closed={start for start, closed in in_flight.items() if closed},
            dead=_dead(cursor),
        )


def _measure(name: str) -> list[tuple[str, str]]:
    """Count, sum, least and most of a measure over rows."""
    return [
        (f"{name}_count", f"sum({name}_count)::bigint"),
        (f"{name}_sum", f"sum({name}_sum)::bigint"),
        (f"{name}_min", f"min({name}_min)"),
        (f"{name}_max", f"max({name}_max)"),
    ]


def _rows(
    cursor: Cursor, view: str, key: Sequence[str], cells: Sequence[tuple[str, str]], time: str = "window_start"
) -> Rows:
    """The rows of a view by time and ``key``, with ``cells`` of (name, expression over the rows of a key)."""
    columns = [_MS.format(time), *(f"coalesce({name}, '')" for name in key), *(sql for _, sql in cells)]
    cursor.execute(f"SELECT {', '.join(columns)} FROM report.{view} GROUP BY {time}, {', '.join(key)}")
    names, width = [name for name, _ in cells], 1 + len(key)
    return {row[:width]: dict(zip(names, row[width:], strict=True)) for row in cursor.fetchall()}


def _pairs(cursor: Cursor) -> dict[tuple[str, str, int], tuple[str, int]]:
    cursor.execute(
        f"SELECT coalesce(fts, ''), transfer_id, {_MS.format('ended_at')}, start_transfer_id,"
        f" {_MS.format('start_message_at')} FROM report.transfer WHERE start_message_at IS NOT NULL"
    )
    return {row[:3]: row[3:] for row in cursor.fetchall()}


def _in_flight(cursor: Cursor) -> dict[Start, bool]:
    cursor.execute(
        f"SELECT coalesce(fts, ''), transfer_id, {_MS.format('started_at')}, closed_by_state FROM report.in_flight"
    )
    return {row[:3]: row[3] for row in cursor.fetchall()}


def _dead(cursor: Cursor) -> dict[str, int]:
    cursor.execute("SELECT reason, count(*) FROM report.dead_letter GROUP BY 1")
    return dict(cursor.fetchall())
