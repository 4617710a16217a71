"""Pairs as rows and columns: groups are the sums of their parts, and what is not shown is counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.web.pages.cells import Cell, Unit, units
from pipeline.web.pages.sides import ALL, Head, Path, Side

WHOLE_CELLS = 3600
"""Rows times columns of the largest matrix that is one table; a larger one is drawn as far as it is in view."""


@dataclass
class Grid:
    """``cells`` by (path of the row, path of the column), the empty path being all of a side.

    Sums of groups, rows, columns and all hold what is hidden too. ``units`` has one for each metric.
    """

    down: Side
    across: Side
    rows: list[Head]
    cols: list[Head]
    cells: dict[tuple[Path, Path], Cell]
    leaves: list[tuple[Path, Path]]
    units: dict[str, Unit]
    min_n: int
    hidden: dict[str, int]

    @property
    def is_large(self) -> bool:
        """Whether it is too large for one table."""
        return len(self.rows) * len(self.cols) > WHOLE_CELLS

    def at(self, row: Path, col: Path) -> Cell | None:
        """The cell, if anything happened there and enough finished; sums are always there."""
        found = self.cells.get((row, col))
        return found if found and (found.finished >= self.min_n or ALL in (row, col)) else None

    def ends(self, row: Head, col: Head) -> dict[str, str]:
        """The filters of a cell."""
        return {self.down.param: row.end, self.across.param: col.end}


def grid(rows: Iterable[dict[str, Any]], down: Side, across: Side, min_n: int = 0) -> Grid:
    """The grid of rows of one technology; ``min_n``: cells of fewer finished are hidden."""
    cells: dict[tuple[Path, Path], Cell] = {}
    leaves: dict[tuple[Path, Path], None] = {}
    for row in rows:
        ends = down.path(row), across.path(row)
        leaves[ends] = None
        for place in _groups(*ends):
            cell = cells.get(place)
            if cell is None:
                cell = cells[place] = Cell()
            cell.add(row)
    heads = (
        down.heads({row: cell for (row, col), cell in cells.items() if col == ALL}),
        across.heads({col: cell for (row, col), cell in cells.items() if row == ALL}),
    )
    known = [{head.path: head for head in side} for side in heads]
    shown, hidden = [], {"cells": 0, "bytes": 0}
    for place in leaves:
        cell = cells[place]
        if place[0] in known[0] and place[1] in known[1] and cell.finished >= min_n:
            shown.append(place)
        else:
            hidden["cells"] += 1
            hidden["bytes"] += cell.bytes
    return Grid(down, across, *heads, cells, shown, units(cells[place] for place in leaves), min_n, hidden)


def _groups(row: Path, col: Path) -> Iterable[tuple[Path, Path]]:
    """All groups of rows and columns in which a pair counts."""
    for rows in range(len(row) + 1):
        for cols in range(len(col) + 1):
            yield row[:rows], col[:cols]
