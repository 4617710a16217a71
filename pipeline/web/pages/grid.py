"""Cells of ``matrix`` as rows and columns with their sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

from pipeline.store.queries.columns import Kind
from pipeline.store.queries.reports import REPORTS_FAILURES
from pipeline.units import NONE, count, prefix_of
from pipeline.web.config import Thresholds
from pipeline.web.pages.classes import class_of

METRICS: dict[str, tuple[str, Kind]] = {
    "throughput": ("throughput", "rate"),
    "efficiency": ("efficiency", "ratio"),
    "ok": ("ok", "count"),
    "failed": ("failed", "count"),
    "volume": ("bytes", "bytes"),
    "started": ("started", "count"),
}
"""What cells can show: name -> column and kind."""
_UNITS: dict[Kind, str] = {"rate": "B/s", "bytes": "B", "count": "transfers"}
_SUMS = ("ok", "failed", "aborted", "started", "bytes", "bytes_moved", "throughput")
UNKNOWN = "unknown"


class Unit(NamedTuple):
    """What all cells of a grid are in, so that it need not stand in each of them; ``size`` is one of it."""

    name: str
    size: float

    def written(self, value: float) -> str:
        """A value in this unit."""
        found = value / self.size
        if self.size == 1 or found == 0:
            return count(round(found))
        if found < 0.005:
            return "<0.01"
        return f"{found:.2f}" if found < 9.995 else f"{found:.1f}" if found < 99.95 else count(round(found))


PERCENT = Unit("%", 0.01)


@dataclass
class Cell:
    """Sums over one or more rows of a matrix; efficiency comes from the sums."""

    sums: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(_SUMS, 0))
    reports: bool = True
    filled: bool = False

    def add(self, row: dict[str, Any]) -> None:
        """Adds a row."""
        self.filled = True
        self.reports = row["technology"] in REPORTS_FAILURES
        for name in _SUMS:
            self.sums[name] += row[name] or 0

    @property
    def finished(self) -> int:
        """How many ended ok or failed."""
        return int(self.sums["ok"] + self.sums["failed"])

    @property
    def efficiency(self) -> float | None:
        """None for none, and for technologies that do not report failures."""
        return self.sums["ok"] / self.finished if self.finished and self.reports else None

    def name(self, limits: Thresholds) -> str:
        """Its class."""
        return class_of(limits, self.sums["ok"], self.sums["failed"], reports=self.reports)

    def value(self, metric: str) -> float | None:
        """What it shows; None for nothing finished, and for the efficiency of who reports no failures."""
        if not self.filled or (not self.finished and metric in ("throughput", "efficiency")):
            return None
        column, _ = METRICS[metric]
        return self.efficiency if column == "efficiency" else float(self.sums[column])

    def text(self, metric: str, unit: Unit) -> str:
        """What stands in it."""
        value = self.value(metric)
        if value is not None:
            return f"{value * 100:.1f}" if unit is PERCENT else unit.written(value)
        if not self.filled:
            return ""
        return NONE if self.finished else "a" if self.sums["aborted"] else "▷"


@dataclass
class Grid:
    """``cells`` by (source, destination); sums of rows, columns and all; each metric's unit, and that of the asked."""

    sources: list[str]
    destinations: list[str]
    cells: dict[tuple[str, str], Cell]
    by_source: dict[str, Cell]
    by_destination: dict[str, Cell]
    total: Cell
    units: dict[str, Unit]
    unit: Unit


def grid(rows: Sequence[dict[str, Any]], source: str, destination: str, metric: str) -> Grid:
    """The grid of rows of one technology, in a unit that fits most cells."""
    cells: dict[tuple[str, str], Cell] = {}
    by_source: dict[str, Cell] = {}
    by_destination: dict[str, Cell] = {}
    total = Cell()
    for row in rows:
        ends = (str(row[source]), str(row[destination]))
        for cell in (
            cells.setdefault(ends, Cell()),
            by_source.setdefault(ends[0], Cell()),
            by_destination.setdefault(ends[1], Cell()),
            total,
        ):
            cell.add(row)
    units = {each: _unit(cells.values(), each) for each in METRICS}
    names = _sorted(by_source), _sorted(by_destination)
    return Grid(*names, cells, by_source, by_destination, total, units, units[metric])


def _unit(cells: Iterable[Cell], metric: str) -> Unit:
    _, kind = METRICS[metric]
    if kind == "ratio":
        return PERCENT
    if kind == "count":
        return Unit(_UNITS[kind], 1)
    size, prefix = prefix_of(median([value for cell in cells if (value := cell.value(metric))] or [0]))
    return Unit(prefix + _UNITS[kind], size)


def _sorted(names: dict[str, Cell]) -> list[str]:
    return sorted(names, key=lambda name: (name == UNKNOWN, name))
