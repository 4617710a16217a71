"""What several endpoints ask in the same way."""

from __future__ import annotations

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.columns import Column
from pipeline.store.queries.question import Condition, Question
from pipeline.store.queries.reports import LINKS, Report
from pipeline.web import filters
from pipeline.web.context import Context
from pipeline.web.filters import Span
from pipeline.web.parameters import Common, Listed
from pipeline.web.table import Table

FLAGS = ("unfinished", "not_final")


def ranked(
    context: Context,
    asked: Listed,
    report: Report,
    usual: tuple[str, ...],
    by_written: str,
    also: tuple[Condition, ...] = (),
) -> Table:
    span = context.span(asked)
    context.check(asked, span)
    by = context.by(report, by_written, usual)
    where = (*context.conditions(asked, report), *also)
    asking = question(context, report, span, where, by)
    return flagged(context, context.listed(asked, asking, span, usual="-bytes", ties=by))


def windows(context: Context, asked: Common, span: Span, by: tuple[str, ...]) -> Question:
    return question(context, LINKS, span, context.conditions(asked, LINKS), by)


def question(
    context: Context, report: Report, span: Span, where: tuple[Condition, ...], by: tuple[str, ...] = ()
) -> Question:
    return Question(
        report=report,
        now_ms=context.now_ms,
        from_ms=span.from_ms,
        to_ms=span.to_ms,
        width=span.width,
        by=by,
        where=where,
    )


def days(context: Context, asked: Common) -> Span:
    return filters.span(asked.from_, asked.to, "10m" if asked.bin == "auto" else asked.bin, context.now_ms)


def flagged(context: Context, table: Table) -> Table:
    """Adds ``unfinished`` and ``not_final`` to rows of windows."""
    assert table.span is not None
    final = table.place("final_at")
    start = table.place("window_start") if any(column.name == "window_start" for column in table.columns) else None
    width_ms = WIDTHS_MS[table.span.width]
    for number, row in enumerate(table.rows):
        end = table.span.to_ms if start is None else int(row[start].timestamp()) * 1000 + width_ms
        table.rows[number] = [*row, end > context.now_ms, row[final] is None]
    table.columns = (*table.columns, *(Column(name, "flag") for name in FLAGS))
    return table
