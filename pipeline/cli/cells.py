"""Cells of windows that differ, for ``verify`` and ``recompute``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.cli.output import write
from pipeline.store.queries.columns import Column
from pipeline.store.verify import Cell

SCREEN = 50
_HIDDEN = ("technology", "src_country", "dst_country")


def document(cell: Cell, before: str, after: str) -> dict[str, Any]:
    """A cell for JSON, with the names of its two values; none in the key is null."""
    key = {name: value or None for name, value in cell.key.items()}
    where = {"table": cell.table, "window_start": cell.window_start, **key, "column": cell.column}
    return {**where, before: cell.stored, after: cell.recomputed}


def print_cells(cells: Sequence[Cell], before: str, after: str) -> int:
    """A table of the first SCREEN cells; how many it shows. ``before`` and ``after`` head the two values.

    Cells of a row that only one side has, and that are 0 there, say nothing more than its other cells.
    """
    telling = [cell for cell in cells if (cell.stored or 0) != (cell.recomputed or 0)]
    shown = (telling or list(cells))[:SCREEN]
    if shown:
        names = [name for name in dict.fromkeys(name for cell in shown for name in cell.key) if name not in _HIDDEN]
        key = [name for name in names if any(cell.key.get(name) for cell in shown)]
        texts = any(isinstance(value, str) for cell in shown for value in (cell.stored, cell.recomputed))
        columns = [
            Column("table", "text"),
            Column("window_start", "time"),
            *(Column(name, "text") for name in (*key, "column")),
            *(Column(name, "text" if texts else "count") for name in (before, after)),
        ]
        write("table", columns, (_row(cell, key) for cell in shown))
    return len(shown)


def _row(cell: Cell, key: Sequence[str]) -> list[Any]:
    fields = (cell.key.get(name) or None for name in key)
    return [cell.table, cell.window_start, *fields, cell.column, cell.stored, cell.recomputed]
