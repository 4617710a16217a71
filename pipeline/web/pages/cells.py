"""Cells of the matrix: what they can show, the unit that they share, their sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from pipeline.stages.link_health import upper_bound
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


@dataclass(slots=True)
class Cell:
    """Sums over one or more rows of a matrix, of one technology; efficiency comes from the sums.

    ``finished`` ended ok or failed; ``throughput`` is in bytes a second.
    """

    ok: int = 0
    failed: int = 0
    aborted: int = 0
    started: int = 0
    bytes: int = 0
    throughput: float = 0.0
    finished: int = 0
    reports: bool = True

    def add(self, row: Mapping[str, Any]) -> None:
        """Adds a row."""
        self.reports = row["technology"] in REPORTS_FAILURES
        self.ok += row["ok"]
        self.failed += row["failed"]
        self.aborted += row["aborted"]
        self.started += row["started"]
        self.bytes += row["bytes"]
        self.throughput += row["throughput"] or 0.0
        self.finished += row["ok"] + row["failed"]

    @property
    def efficiency(self) -> float | None:
        """None for none, and for technologies that do not report failures."""
        return self.ok / self.finished if self.finished and self.reports else None

    @property
    def badness(self) -> float:
        """Falls with the highest efficiency that is still likely, so that 0 of 1 does not lead; lowest for none."""
        return -upper_bound(self.ok, self.finished) if self.finished and self.reports else -2.0

    def name(self, limits: Thresholds) -> str:
        """Its class."""
        return class_of(limits, self.ok, self.failed, reports=self.reports)

    def is_few(self, limits: Thresholds) -> bool:
        """Whether so few finished that the class says little."""
        return 0 < self.finished < limits.few

    def value(self, metric: str) -> float | None:
        """What it shows; None for nothing finished, and for the efficiency of who reports no failures."""
        if not self.finished and metric in ("throughput", "efficiency"):
            return None
        column, _ = METRICS[metric]
        found: float | None = getattr(self, column)
        return found

    def text(self, metric: str, unit: Unit) -> str:
        """What stands in it."""
        value = self.value(metric)
        if value is not None:
            return f"{value * 100:.1f}" if unit is PERCENT else unit.written(value)
        return NONE if self.finished else "a" if self.aborted else "▷"


def units(cells: Iterable[Cell]) -> dict[str, Unit]:
    """The unit of each metric that fits most of the cells."""
    found = list(cells)
    return {metric: _unit(found, metric) for metric in METRICS}


def _unit(cells: Iterable[Cell], metric: str) -> Unit:
    _, kind = METRICS[metric]
    if kind == "ratio":
        return PERCENT
    if kind == "count":
        return Unit(_UNITS[kind], 1)
    size, prefix = prefix_of(median([value for cell in cells if (value := cell.value(metric))] or [0]))
    return Unit(prefix + _UNITS[kind], size)
