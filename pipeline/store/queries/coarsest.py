"""Sums over a range from the widest windows that lie whole in it, and from narrower ones at its edges.

A window is the sum of the narrower ones in it, so the numbers are the same, from far fewer rows. They are added up by
the number of the link; the names come last, to a row a link.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from psycopg2.extensions import connection as Connection

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.conditions import clauses
from pipeline.store.queries.instants import ceil_ms, floor_ms
from pipeline.store.queries.question import Condition
from pipeline.store.queries.statement import between, state_of_group, view

_WIDEST_FIRST = tuple(sorted(WIDTHS_MS, key=lambda width: -WIDTHS_MS[width]))


class Piece(NamedTuple):
    """The windows of one width that start in [from_ms, to_ms)."""

    width: str
    from_ms: int
    to_ms: int


def pieces(from_ms: int, to_ms: int, narrowest: str, held_ms: Iterable[int] = ()) -> list[Piece]:
    """Windows that together are the range, on edges of ``narrowest``: as wide as can be, by rising time.

    None but a ``narrowest`` one holds an instant of ``held_ms`` between its ends: windows are final up to there, so a
    wider one would call narrower ones not final that are.
    """
    widths = _WIDEST_FIRST[: _WIDEST_FIRST.index(narrowest) + 1]
    return _merged(_cover(from_ms, to_ms, widths, sorted(held_ms)))


def _cover(from_ms: int, to_ms: int, widths: Sequence[str], held_ms: Sequence[int]) -> list[Piece]:
    width, *narrower = widths
    if from_ms >= to_ms:
        return []
    if not narrower:
        return [Piece(width, from_ms, to_ms)]
    width_ms = WIDTHS_MS[width]
    begin, end = ceil_ms(from_ms, width_ms), floor_ms(to_ms, width_ms)
    if begin >= end:
        return _cover(from_ms, to_ms, narrower, held_ms)
    found = _cover(from_ms, begin, narrower, held_ms)
    at = begin
    for split in sorted({floor_ms(held, width_ms) for held in held_ms if held % width_ms}):
        if at <= split < end:
            found += [Piece(width, at, split)] if at < split else []
            at = split + width_ms
            found += _cover(split, at, narrower, held_ms)
    found += [Piece(width, at, end)] if at < end else []
    return found + _cover(end, to_ms, narrower, held_ms)


def _merged(found: Iterable[Piece]) -> list[Piece]:
    merged: list[Piece] = []
    for piece in found:
        if merged and merged[-1].width == piece.width and merged[-1].to_ms == piece.from_ms:
            merged[-1] = merged[-1]._replace(to_ms=piece.to_ms)
        else:
            merged.append(piece)
    return merged


def links_summed(
    found: Iterable[Piece], keys: Sequence[str], sums: Sequence[str], conditions: Sequence[Condition]
) -> sa.Subquery:
    """A row for each link with traffic in the pieces: ``keys``, the ``sums``, and final_at, updated_at, stale.

    ``conditions`` are on keys.
    """
    by_width: dict[str, list[Any]] = {}
    for piece in found:
        by_width.setdefault(piece.width, []).append(piece)
    selects = [_windows(width, each, keys, sums, conditions) for width, each in by_width.items()]
    windows = sa.union_all(*selects).subquery("windows")
    added = (
        sa.select(
            windows.c.link_id,
            *(sa.func.sum(windows.c[name]).label(name) for name in sums),
            *(state.label(name) for name, state in state_of_group(windows).items()),
        )
        .group_by(windows.c.link_id)
        .subquery("added")
    )
    key = view("link_key", ("link_id", *keys))
    measures = [column for column in added.c if column.name != "link_id"]
    return (
        sa.select(*(key.c[name] for name in keys), *measures)
        .select_from(added.join(key, key.c.link_id == added.c.link_id))
        .subquery("link")
    )


def held(connection: Connection) -> tuple[int, ...]:
    """Up to which instants (ms) the windows of each topic are final."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT (extract(epoch FROM final_until) * 1000)::bigint FROM report.finality"
            " WHERE final_until IS NOT NULL ORDER BY 1"
        )
        return tuple(int(instant) for (instant,) in cursor.fetchall())


def _windows(
    width: str, found: Iterable[Piece], keys: Sequence[str], sums: Sequence[str], conditions: Sequence[Condition]
) -> sa.Select[Any]:
    table = view(f"link_sum_{width}", ("window_start", "link_id", *sums, "final_at", "updated_at", "stale"))
    spans = [sa.and_(*between(table.c.window_start, piece.from_ms, piece.to_ms)) for piece in found]
    select = sa.select(*(column for column in table.c if column.name != "window_start")).where(sa.or_(*spans))
    if conditions:
        key = view("link_key", ("link_id", *keys))
        columns = {name: key.c[name] for name in keys}
        select = select.where(table.c.link_id.in_(sa.select(key.c.link_id).where(*clauses(conditions, columns))))
    return select
