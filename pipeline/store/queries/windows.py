"""Links, channels, endpoints and activities: windows as they are, or added up by what the user groups by.

Sums come from summed counts: efficiency is ok / (ok + failed) of the sums, a mean is sum / count, links are distinct
pairs of hosts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.coarsest import links_summed, pieces
from pipeline.store.queries.columns import Column
from pipeline.store.queries.conditions import clauses
from pipeline.store.queries.instants import ceil_ms, floor_ms, to_datetime
from pipeline.store.queries.question import Question
from pipeline.store.queries.reports import BYTES, CHANNELS, COUNTS, LINKS, REPORTS_FAILURES, Report, stage_kind
from pipeline.store.queries.statement import Statement, between, ordered, state_of_group, view
from schemas.events import STAGES

Sum = Callable[[Any], Any]


def windows_statement(question: Question) -> Statement:
    """The windows that a question is about, newest first; groups with the most bytes first."""
    report, width_ms = question.report, WIDTHS_MS[question.width]
    from_ms = None if question.from_ms is None else floor_ms(question.from_ms, width_ms)
    to_ms = None if question.to_ms is None else ceil_ms(question.to_ms, width_ms)
    # Distinct links cannot be added up, so channels over many windows are counted from their links.
    source = LINKS if report is CHANNELS and question.by else report
    table = _table(question, source, from_ms, to_ms)
    groups = question.by or (report.time, *report.keys)

    measures = _measures(table, grouped=bool(question.by))
    measures["throughput"] = _throughput(measures["bytes_moved"], table, question, from_ms, to_ms)
    if report is CHANNELS:
        ends = sa.tuple_(table.c.src_host, table.c.dst_host) if question.by else None
        measures["links"] = table.c.links if ends is None else sa.func.count(sa.distinct(ends))
    expressions: dict[str, Any] = {name: table.c[name] for name in (report.time, *report.keys) if name in table.c}
    inside = [c for c in question.where if c.column in expressions]
    over = clauses((c for c in question.where if c.column not in expressions), measures)

    columns = [report.column(name) for name in groups]
    columns += [column for column in report.columns if column.name in measures]
    if question.stages:
        for stage in STAGES:
            for name, expression in _stage(table, stage, grouped=bool(question.by)).items():
                measures[name] = expression
                columns.append(Column(name, "count" if name.endswith("_count") else stage_kind(stage)))

    expressions |= measures
    select = sa.select(*(expressions[column.name].label(column.name) for column in columns))
    if report.time in table.c:
        select = select.where(*between(table.c[report.time], from_ms, to_ms))
    select = select.where(*clauses(inside, expressions))
    grouped = [table.c[name] for name in question.by]
    select = select.group_by(*grouped).having(*over) if grouped else select.where(*over)
    ranked = [] if report.time in groups else [measures["bytes"].desc(), measures["started"].desc()]
    newest = [table.c[report.time].desc()] if report.time in groups else []
    ties = [table.c[name] for name in groups if name != report.time]
    known = [order for order in question.order if order.column in expressions]
    select = select.order_by(*ordered(known, expressions), *newest, *ranked, *ties)
    return Statement(select, tuple(columns), from_ms, to_ms)


def _table(question: Question, source: Report, from_ms: int | None, to_ms: int | None) -> sa.FromClause:
    """The view of the windows; for sums over a whole range of links, these already added up a link."""
    single = not question.by or question.report.time in (*question.by, *(c.column for c in question.where))
    if single or source.view != LINKS.view or from_ms is None or to_ms is None:
        return view(f"{source.view}_{question.width}", _names_of(source))
    sums = [*COUNTS, *BYTES]
    if question.stages:
        sums += [f"{stage}_{part}" for stage in STAGES for part in ("count", "sum")]
    inside = [c for c in question.where if c.column in LINKS.keys]
    return links_summed(pieces(from_ms, to_ms, question.width, question.held_ms), LINKS.keys, sums, inside)


def _names_of(report: Report) -> list[str]:
    own = ["links"] if report is CHANNELS else []
    stages = [f"{stage}_{part}" for stage in STAGES for part in ("count", "sum")] if report.stages else []
    return ["window_start", *report.keys, *own, *COUNTS, *BYTES, *stages, "final_at", "updated_at", "stale"]


def _measures(table: sa.FromClause, *, grouped: bool) -> dict[str, Any]:
    add: Sum = sa.func.sum if grouped else _same
    measures: dict[str, Any] = {name: add(table.c[name]) for name in (*COUNTS, *BYTES)}
    tried = sa.func.nullif(measures["ok"] + measures["failed"], 0)
    # Every grouping holds the technology, so a CASE on it is the same for all rows of a group.
    measures["efficiency"] = sa.case(
        (table.c.technology.in_(REPORTS_FAILURES), sa.cast(measures["ok"], sa.Double) / sa.cast(tried, sa.Double)),
    )
    single = {name: table.c[name] for name in ("final_at", "updated_at", "stale")}
    return measures | (state_of_group(table) if grouped else single)


def _throughput(moved: Any, table: sa.FromClause, question: Question, from_ms: int | None, to_ms: int | None) -> Any:
    """Bytes moved over the time that passed: of each window, or of the range; unknown for a range left open."""
    if not question.by or question.report.time in question.by:
        start = table.c[question.report.time]
        now = sa.literal(to_datetime(question.now_ms), sa.DateTime(timezone=True))
        passed = sa.func.greatest(sa.extract("epoch", now - start), 1)
        width_s = WIDTHS_MS[question.width] // 1000
        return sa.cast(moved, sa.Double) / sa.case((passed < width_s, passed), else_=width_s)
    if from_ms is None:
        return sa.cast(sa.null(), sa.Double)
    end_ms = question.now_ms if to_ms is None else min(to_ms, question.now_ms)
    return sa.cast(moved, sa.Double) * 1000 / max(end_ms - from_ms, 1000)


def _stage(table: sa.FromClause, stage: str, *, grouped: bool) -> dict[str, Any]:
    add: Sum = sa.func.sum if grouped else _same
    count, total = add(table.c[f"{stage}_count"]), add(table.c[f"{stage}_sum"])
    mean = sa.cast(total, sa.Double) / sa.func.nullif(sa.cast(count, sa.Double), 0)
    return {f"{stage}_count": count, f"{stage}_mean": mean}


def _same(column: Any) -> Any:
    return column
