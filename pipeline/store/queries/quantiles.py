"""Quantiles of stages, read off added histograms.

One pass over the histograms of a range adds them up for all rows of an answer at once; asked for singly, every row
would be a search of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.columns import Column
from pipeline.store.queries.conditions import clauses
from pipeline.store.queries.question import Question
from pipeline.store.queries.reports import LINKS, stage_kind
from pipeline.store.queries.statement import between, view
from schemas.fts_state import ACTIVE
from schemas.histogram import lower_edge

_STAGE_OF = {"wait": "queue_wait"}
"""What ``report.link_bins`` calls a stage, where its name is another one."""

Histogram = dict[int, int]
"""Counts by bin of ``schemas.histogram``."""


def columns(stage: str, shares: Iterable[float]) -> tuple[Column, ...]:
    """The quantiles of a stage as columns of an answer: p50, p99.9."""
    return tuple(Column(f"{stage}_p{round(share * 100, 4):g}", stage_kind(stage)) for share in shares)


def quantile(histogram: Mapping[int, int], q: float) -> float | None:
    """The value below which the share ``q`` lies, as ``report.hist_quantile`` has it; None for no values."""
    wanted = q * sum(histogram.values())
    until = 0
    for number, count in sorted(histogram.items()):
        until += count
        if count > 0 and until >= wanted:
            low, high = lower_edge(number), lower_edge(number + 1)
            return low + (high - low) * (wanted - (until - count)) / count
    return None


def bins_statement(question: Question, from_ms: int | None, to_ms: int | None) -> sa.Select[Any]:
    """Bins with their counts for each group of a question about windows: group, stage, bin, count."""
    table = view("link_bins", ["window_start", *LINKS.keys, "stage", "bin", "count"])
    width = sa.text(f"interval '{WIDTHS_MS[question.width] // 1000} seconds'")
    columns: dict[str, Any] = {name: table.c[name] for name in LINKS.keys}
    # Only files that became active have waited, and been staged.
    columns["state"] = sa.cast(sa.literal(ACTIVE), sa.Text)
    columns["window_start"] = sa.func.date_bin(width, table.c.window_start, sa.text("'epoch'::timestamptz"))
    groups = [columns[name] for name in groups_of(question)]
    inside = clauses((condition for condition in question.where if condition.column in columns), columns)
    counted = sa.select(*groups, table.c.stage, table.c.bin, sa.func.sum(table.c.count).label("n"))
    wanted = table.c.stage.in_([_STAGE_OF.get(stage, stage) for stage in question.report.stages])
    counted = counted.where(*between(table.c.window_start, from_ms, to_ms), wanted, *inside)
    return counted.group_by(*groups, table.c.stage, table.c.bin)


def groups_of(question: Question) -> tuple[str, ...]:
    """The columns that tell the rows of an answer apart."""
    return question.by or tuple(dict.fromkeys((question.report.time, *question.report.keys)))


class Histograms:
    """The added histograms of an answer, by group and stage."""

    def __init__(self, question: Question, rows: Iterable[Sequence[Any]]) -> None:
        """``rows`` are those of ``bins_statement``."""
        self._shares = question.quantiles
        self._stages = [_STAGE_OF.get(stage, stage) for stage in question.report.stages]
        self._found: dict[tuple[Any, ...], dict[str, Histogram]] = defaultdict(lambda: defaultdict(dict))
        for *group, stage, number, count in rows:
            self._found[tuple(group)][stage][number] = int(count)

    def quantiles(self, group: Sequence[Any]) -> list[float | None]:
        """The values of the columns of each stage."""
        found = self._found.get(tuple(group), {})
        return [quantile(found.get(stage, {}), q) for stage in self._stages for q in self._shares]
