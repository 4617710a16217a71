"""Cells of windows that differ, for ``verify`` and ``recompute``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.cli.output import write
from pipeline.stages.windows import LinkKey
from pipeline.store.queries.columns import Column
from pipeline.store.verify import Cell


def document(cell: Cell) -> dict[str, Any]:
    """A cell for JSON; none in the key is null."""
    fields = {**cell._asdict(), "link": None}
    del fields["link"]
    return {**fields, **{name: value or None for name, value in cell.link._asdict().items()}}


def print_cells(cells: Sequence[Cell], before: str, after: str) -> None:
    """A table of the cells, if there are any; ``before`` and ``after`` head the two values."""
    if not cells:
        return
    key = [name for name in LinkKey._fields if any(getattr(cell.link, name) for cell in cells)]
    columns = [
        Column("table", "text"),
        Column("window_start", "time"),
        *(Column(name, "text") for name in key),
        Column("column", "text"),
        Column(before, "count"),
        Column(after, "count"),
    ]
    write(
        "table",
        columns,
        (
            [
                cell.table,
                cell.window_start,
                *(getattr(cell.link, name) or None for name in key),
                cell.column,
                cell.stored,
                cell.recomputed,
            ]
            for cell in cells
        ),
    )
