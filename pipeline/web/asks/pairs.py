"""Sources and destinations that exchanged something, for the matrix."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.web.asks.shared import flagged, windows
from pipeline.web.context import Context
from pipeline.web.parameters import MatrixParameters
from pipeline.web.table import Table

UNKNOWN = "unknown"
"""What is known of no place is never left out: it would hide what the topology lacks."""


def pairs(context: Context, asked: MatrixParameters, first: Sequence[str], second: Sequence[str]) -> Table:
    """All cells by technology and these columns of either end."""
    span = context.span(asked)
    context.check(asked, span)
    return context.groups(windows(context, asked, span, ("technology", *first, *second)), span)


def matrix(context: Context, asked: MatrixParameters) -> Table:
    """Cells of sources and destinations that are not empty; the others are counted in ``meta.hidden``.

    These are outside the top, or of fewer finished transfers than ``min_n``.
    """
    ends = f"src_{asked.rows}", f"dst_{asked.cols}"
    first, second = reversed(ends) if asked.transpose else ends
    table = pairs(context, asked, (first,), (second,))
    volume, ok, failed = (table.place(name) for name in ("bytes", "ok", "failed"))
    kept = [_top(table.rows, place, volume, asked.top) for place in (1, 2)]
    shown = [
        row for row in table.rows if row[1] in kept[0] and row[2] in kept[1] and row[ok] + row[failed] >= asked.min_n
    ]
    hidden = int(sum(row[volume] for row in table.rows) - sum(row[volume] for row in shown))
    table.meta["hidden"] = {"cells": len(table.rows) - len(shown), "bytes": hidden}
    table.rows = shown
    return flagged(context, table)


def largest(volumes: Mapping[str, int], most: int) -> set[str]:
    """The names with most bytes, ties by name, and what is unknown."""
    ranked = sorted(volumes, key=lambda name: (-volumes[name], name))
    return {*ranked[:most], *({UNKNOWN} & volumes.keys())}


def _top(rows: Sequence[Sequence[Any]], place: int, volume: int, most: int) -> set[str]:
    totals: dict[str, int] = defaultdict(int)
    for row in rows:
        totals[row[place]] += row[volume]
    return largest(totals, most)
