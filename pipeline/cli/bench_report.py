"""How every benchmark tells its result: machine, settings, figures, and whether the goal is reached."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from pipeline.cli.machine import line, machine
from pipeline.cli.output import write, write_json
from pipeline.store.queries.columns import Column

_NAME_WIDTH = 40


@dataclass(frozen=True)
class Figure:
    """One measured value. ``goal`` is what it must reach: at least it, or at most it if ``lower_is_better``."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    lower_is_better: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.lower_is_better else self.value >= self.goal


class Table(NamedTuple):
    """Rows that belong to a result."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class BenchReport:
    """A benchmark's result with what it was measured with; ``tables``, by name, stand before the figures."""

    bench: str
    settings: dict[str, Any]
    figures: list[Figure]
    tables: Mapping[str, Table] = field(default_factory=dict)


def print_report(report: BenchReport, as_json: bool) -> None:
    """A report on stdout."""
    facts = machine()
    if as_json:
        figures = [asdict(figure) | {"reached": figure.reached} for figure in report.figures]
        tables = {
            name: [dict(zip((column.name for column in table.columns), row, strict=True)) for row in table.rows]
            for name, table in report.tables.items()
        }
        document = {"bench": report.bench, "machine": facts, "settings": report.settings, "figures": figures}
        write_json(document | tables)
        return
    settings = ", ".join(f"{name} {value}" for name, value in report.settings.items())
    lines = [f"bench {report.bench}", f"machine   {line(facts)}", f"settings  {settings}"]
    for table in report.tables.values():
        text = io.StringIO()
        write("table", table.columns, table.rows, text)
        lines += ["", *text.getvalue().splitlines()]
    lines += [""] if report.tables else []
    width = max([_NAME_WIDTH, *(len(figure.name) for figure in report.figures)])
    lines += [
        f"{figure.name:<{width}} {_number(figure.value):>12} {figure.unit}{_verdict(figure)}"
        for figure in report.figures
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"


def _verdict(figure: Figure) -> str:
    if figure.reached is None:
        return ""
    bound = "at most" if figure.lower_is_better else "at least"
    return f"   goal {bound} {_number(figure.goal or 0)}: {'reached' if figure.reached else 'NOT reached'}"
