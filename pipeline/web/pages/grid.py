"""Cells of ``matrix`` as rows and columns with their sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.store.queries.columns import Kind
from pipeline.store.queries.reports import REPORTS_FAILURES
from pipeline.units import human
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
_SUMS = ("ok", "failed", "aborted", "started", "bytes", "bytes_moved", "throughput")
UNKNOWN = "unknown"


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

    def text(self, metric: str) -> str:
        """What stands in it."""
        if not self.filled:
            return ""
        if not self.finished and metric in ("throughput", "efficiency"):
            return "a" if self.sums["aborted"] else "▷"
        column, kind = METRICS[metric]
        return human(self.efficiency if column == "efficiency" else self.sums[column], kind)


@dataclass
class Grid:
    """``cells`` by (source, destination); sums of rows, columns and all."""

    sources: list[str]
    destinations: list[str]
    cells: dict[tuple[str, str], Cell]
    by_source: dict[str, Cell]
    by_destination: dict[str, Cell]
    total: Cell


def grid(rows: Sequence[dict[str, Any]], source: str, destination: str) -> Grid:
    """The grid of rows of one technology."""
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
    return Grid(_sorted(by_source), _sorted(by_destination), cells, by_source, by_destination, total)


def _sorted(names: dict[str, Cell]) -> list[str]:
    return sorted(names, key=lambda name: (name == UNKNOWN, name))
