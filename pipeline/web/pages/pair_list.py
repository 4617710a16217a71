"""The matrix as a list: a row for each pair, sorted, in pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Literal, NamedTuple

from pipeline.web.pages.cells import Cell
from pipeline.web.pages.grid import Grid
from pipeline.web.pages.sides import Path

ROWS = 50
_NAMES: dict[str, str] = {"from": "src", "to": "dst"}
_AMOUNTS: dict[str, Callable[[Cell], float]] = {
    "ok": lambda cell: cell.ok,
    "failed": lambda cell: cell.failed,
    "aborted": lambda cell: cell.aborted,
    "efficiency": lambda cell: -cell.badness,
    "volume": lambda cell: cell.bytes,
    "throughput": lambda cell: cell.throughput,
}
Sort = Literal[
    "from", "-from", "to", "-to", "ok", "-ok", "failed", "-failed", "aborted", "-aborted", "efficiency", "-efficiency",
    "volume", "-volume", "throughput", "-throughput",
]  # fmt: skip
"""A column, - before it for falling."""


class Heading(NamedTuple):
    """A column: ``state`` is what aria-sort says, ``then`` the order that a click gives."""

    name: str
    is_number: bool
    state: str | None
    then: str


class Listed(NamedTuple):
    """One page of pairs; ``pages`` of them are there."""

    headings: list[Heading]
    rows: list[dict[str, Any]]
    page: int
    pages: int


def pair_list(grid: Grid, technology: str, sort: Sort, page: int) -> Listed:
    """The pairs that no open group stands for, sorted as asked, ties by name."""
    column, falls = sort.removeprefix("-"), sort.startswith("-")
    places = sorted(grid.leaves, key=lambda place: _by_name(grid, place, "from"))
    if column in _NAMES:
        places.sort(key=lambda place: _by_name(grid, place, column), reverse=falls)
    else:
        places.sort(key=lambda place: _AMOUNTS[column](grid.cells[place]), reverse=falls)
    pages = max(1, -(-len(places) // ROWS))
    page = min(page, pages)
    heads = {head.path: head for head in grid.rows}, {head.path: head for head in grid.cols}
    rows = []
    for place in places[(page - 1) * ROWS : page * ROWS]:
        cell = grid.cells[place]
        ends = grid.ends(heads[0][place[0]], heads[1][place[1]])
        rows.append({**asdict(cell), **ends, "technology": technology, "efficiency": cell.efficiency})
    headings = [
        Heading(
            name,
            name in _AMOUNTS,
            None if name != column else "descending" if falls else "ascending",
            f"-{name}" if (not falls if name == column else name not in _NAMES and name != "efficiency") else name,
        )
        for name in (*_NAMES, *_AMOUNTS)
    ]
    return Listed(headings, rows, page, pages)


def _by_name(grid: Grid, place: tuple[Path, Path], column: str) -> tuple[Path, Path]:
    row, col = place
    return (row, col) if grid.down.param == _NAMES[column] else (col, row)
