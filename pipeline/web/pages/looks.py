"""How cells of the matrix look: a class of efficiency, or a shade of an amount, and a mark beside the colour."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.web.config import Thresholds
from pipeline.web.pages.cells import METRICS, Cell
from pipeline.web.pages.classes import classes
from pipeline.web.pages.grid import Grid
from pipeline.web.pages.shades import Scale, Shade, scale


class Look(NamedTuple):
    """CSS classes, the mark of the class of efficiency, and whether n stands in the cell."""

    css: str
    mark: str
    is_few: bool


class Looks:
    """Looks of the cells of one grid, coloured by ``colour``: efficiency or another metric."""

    def __init__(self, grid: Grid, colour: str, limits: Thresholds) -> None:
        self._limits = limits
        self._marks = {each.name: each.mark for each in classes(limits).values()}
        self._colour = colour
        shown = (grid.at(row.path, col.path) for row in grid.rows for col in grid.cols)
        self._scale: Scale | None = None
        if colour != "efficiency":
            self._scale = scale(cell.value(colour) for cell in shown if cell)

    def of(self, cell: Cell, *, is_sum: bool = False) -> Look:
        """The look of a cell; sums have no shade, since they would take all of the scale."""
        name = cell.name(self._limits)
        css = name if self._scale is None else "none" if is_sum else self._scale.name(cell.value(self._colour))
        few = cell.is_few(self._limits)
        return Look(f"{css} few" if few else css, self._marks[name], few)

    @property
    def shades(self) -> list[Shade]:
        """The legend of shades; empty where colour is efficiency."""
        return self._scale.legend(METRICS[self._colour][1]) if self._scale else []
