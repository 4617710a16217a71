"""What each endpoint asks. Pages ask through the same functions, so that they show the same numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.columns import Column
from pipeline.store.queries.health import freshness, heard
from pipeline.store.queries.instants import to_datetime
from pipeline.store.queries.names import names
from pipeline.store.queries.question import Condition, Question
from pipeline.store.queries.reports import CHANNELS, DEAD_LETTERS, ERRORS, IN_FLIGHT, LINKS, QUEUES, TRANSFERS, Report
from pipeline.web import filters
from pipeline.web.access import Role, require
from pipeline.web.context import Context
from pipeline.web.filters import Span
from pipeline.web.parameters import (
    Common,
    DeadLetterParameters,
    ErrorParameters,
    Form,
    InFlightParameters,
    Listed,
    MatrixParameters,
    NameParameters,
    Ranked,
    SeriesParameters,
    SitesParameters,
    SummaryParameters,
    TransferParameters,
)
from pipeline.web.problems import Problem
from pipeline.web.table import Table

MAX_POINTS = 10_000
_SHIFT_MS = {"1d": filters.DAY_MS, "7d": 7 * filters.DAY_MS}
_SINGLE = frozenset({"agent_fqdn", "transfer_id", "job_id", "file_id"})
"""Columns that tell one transfer from another."""


def summary(context: Context, asked: SummaryParameters) -> Table:
    """Totals of each technology; ``period`` is ``asked`` or ``before``."""
    span = context.span(asked)
    context.check(asked, span)
    question = _windows(context, asked, span, ("technology",))
    table = context.groups(question, span)
    rows: list[Sequence[Any]] = [["asked", *row] for row in table.rows]
    if asked.compare:
        shift = _SHIFT_MS[asked.compare]
        end = min(span.to_ms, context.now_ms) - shift
        before = replace(question, from_ms=span.from_ms - shift, to_ms=end)
        rows += [["before", *row] for row in context.groups(before, span).rows]
    return _flagged(context, Table((Column("period", "text"), *table.columns), rows, span, table.meta))


def series(context: Context, asked: SeriesParameters) -> Table:
    """A row for each window and group in which anything happened, oldest first."""
    span = context.span(asked)
    context.check(asked, span)
    by = context.by(LINKS, asked.by, ())
    groups = tuple(dict.fromkeys(("window_start", "technology", *by)))
    table = context.groups(_windows(context, asked, span, groups), span, MAX_POINTS)
    table.rows.sort(key=lambda row: (row[0], *(value or "" for value in row[1 : len(groups)])))
    return _flagged(context, table)


def matrix(context: Context, asked: MatrixParameters) -> Table:
    """Cells of sources and destinations that are not empty; those outside the top are counted in ``meta.hidden``."""
    span = context.span(asked)
    context.check(asked, span)
    ends = (f"src_{asked.rows}", f"dst_{asked.cols}")
    table = context.groups(_windows(context, asked, span, ("technology", *ends)), span)
    volume = [column.name for column in table.columns].index("bytes")
    kept = [_top(table.rows, place, volume, asked.top) for place in (1, 2)]
    shown = [row for row in table.rows if row[1] in kept[0] and row[2] in kept[1]]
    hidden = int(sum(row[volume] for row in table.rows) - sum(row[volume] for row in shown))
    table.meta["hidden"] = {"cells": len(table.rows) - len(shown), "bytes": hidden}
    table.rows = shown
    return _flagged(context, table)


def links(context: Context, asked: Ranked) -> Table:
    """Links, those with most bytes first."""
    return _ranked(context, asked, LINKS, ("src_host", "dst_host", "src_site", "dst_site"), asked.by)


def channels(context: Context, asked: Ranked) -> Table:
    """Channels of FTS, with the links that had traffic; xrootd has none."""
    return _ranked(context, asked, CHANNELS, ("fts", "channel"), asked.by, (Condition("channel", "!=", None),))


def sites(context: Context, asked: SitesParameters) -> Table:
    """Sites as senders (out) or receivers (in)."""
    return _ranked(context, asked, LINKS, ("src_site" if asked.direction == "out" else "dst_site",), "")


def vos(context: Context, asked: Listed) -> Table:
    """VOs."""
    return _ranked(context, asked, LINKS, ("vo",), "")


def stages(context: Context, asked: SeriesParameters) -> Table:
    """Count, mean and quantiles of each stage of ok transfers, by technology and what is asked."""
    span = context.span(asked)
    context.check(asked, span)
    by = context.by(LINKS, asked.by, ("technology",))
    return context.groups(replace(_windows(context, asked, span, by), stages=True), span, MAX_POINTS)


def errors(context: Context, asked: ErrorParameters) -> Table:
    """Failures by kind, the most first; the sample is for readers."""
    span = filters.span(asked.from_, asked.to, "10m", context.now_ms)
    context.check(asked, span)
    report = ERRORS
    where = [*context.conditions(asked, report)]
    for name in ("scope", "phase", "category", "code"):
        where += filters.one_of(name, getattr(asked, name))
    if asked.text:
        where.append(Condition("template", "~", f"*{asked.text}*"))
    by = context.by(report, asked.by, ("scope", "phase", "category", "code", "template"))
    question = _question(context, report, span, tuple(where), by)
    table = context.listed(asked, question, span, usual="-count", ties=by)
    return table if context.role >= Role.READER else table.without("sample")


def transfers(context: Context, asked: TransferParameters) -> Table:
    """Finished transfers, newest first: for readers."""
    require(context.role, Role.READER)
    span = _days(context, asked)
    where = [*context.conditions(asked, TRANSFERS)]
    where += [Condition("state", "=", state) for state in asked.state]
    if asked.min_size:
        where.append(Condition("file_size", ">=", asked.min_size))
    if asked.template:
        where.append(Condition("error_template", "=", asked.template))
    question = _question(context, TRANSFERS, span, tuple(where))
    return context.listed(
        asked, question, span, usual="-ended_at", ties=("transfer_id", "fts", "state", "complete_ref")
    )


def transfer(context: Context, identity: str) -> Table:
    """Every attempt of a transfer id, newest first; raises Problem 404 when there is none."""
    require(context.role, Role.READER)
    where = (Condition("transfer_id", "=", identity),)
    span = Span(0, context.now_ms + filters.DAY_MS, "10m")
    table = context.groups(Question(report=TRANSFERS, now_ms=context.now_ms, where=where), span)
    if not table.rows:
        raise Problem(
            404, "no transfer of this id is kept: transfers are kept for some weeks, look at /api/v1/transfers"
        )
    return table


def in_flight(context: Context, asked: InFlightParameters, *, lost: bool = False) -> Table:
    """Starts without a complete, oldest first; counted by links and VOs also for those who may not see single ones."""
    span = _days(context, asked)
    where = [
        *context.conditions(asked, IN_FLIGHT),
        Condition("lost", "=", lost),
        Condition("closed_by_state", "=", False),
    ]
    if asked.min_age:
        where.append(Condition("started_at", "<=", to_datetime(context.now_ms - asked.min_age * 1000)))
    by = context.by(IN_FLIGHT, asked.by, ())
    if not by or _SINGLE.intersection(by):
        require(context.role, Role.READER)
    question = _question(context, IN_FLIGHT, span, tuple(where), by)
    if by:
        return context.listed(asked, question, span, usual="-count", ties=by)
    return context.listed(asked, question, span, usual="started_at", ties=("transfer_id", "fts", "agent_fqdn"))


def queue_status(context: Context, asked: Listed) -> Table:
    """Active and ready of each (FTS, VO, channel, source, destination): last, mean, largest; never summed."""
    span = filters.span(asked.from_, asked.to, "10m", context.now_ms)
    by = ("fts", "vo", "channel", "src_host", "dst_host")
    question = _question(context, QUEUES, span, context.conditions(asked, QUEUES), by)
    return context.listed(asked, question, span, usual="-active_max", ties=by)


def quality(context: Context, asked: Common) -> Table:
    """Every source: newest heard of it, and its messages in the range."""
    span = filters.span(asked.from_, asked.to, "10m", context.now_ms)
    counted = {each.source: each[1:] for each in heard(context.connection, span.from_ms, span.to_ms)}
    columns = (
        Column("source", "text"),
        *(Column(name, "time") for name in ("last_event_at", "last_received_at", "last_committed_at")),
        *(Column(name, "count") for name in ("received", "stored", "duplicate", "dead")),
    )
    rows = [[*each, *counted.get(each.source, (0, 0, 0, 0))] for each in freshness(context.connection)]
    context.heard()
    return Table(columns, list(rows), span, context.meta)


def dead_letters(context: Context, asked: DeadLetterParameters) -> Table:
    """Messages that could not be used, newest first: for operators."""
    require(context.role, Role.OPERATOR)
    span = filters.span(asked.from_, asked.to, "1d", context.now_ms)
    where = (*filters.one_of("reason", asked.reason), *filters.one_of("topic", asked.topic))
    question = _question(context, DEAD_LETTERS, span, where)
    return context.listed(asked, question, span, usual="-id", ties=("id",))


def known_names(context: Context, asked: NameParameters) -> Table:
    """Names that begin so."""
    found = names(context.connection, asked.kind, asked.prefix, asked.limit)
    return Table((Column("name", "text"),), [[name] for name in found])


def source_freshness(context: Context, _: Form) -> Table:
    """The newest that was heard of each source."""
    columns = (
        Column("source", "text"),
        *(Column(f"last_{what}_at", "time") for what in ("event", "received", "committed")),
    )
    return Table(columns, [list(each) for each in freshness(context.connection)])


def export(context: Context, asked: Common) -> tuple[Question, Span]:
    """The question of an export, whose rows are streamed."""
    span = context.span(asked)
    context.check(asked, span)
    return _question(context, LINKS, span, context.conditions(asked, LINKS)), span


def _ranked(
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
    question = _question(context, report, span, where, by)
    return _flagged(context, context.listed(asked, question, span, usual="-bytes", ties=by))


def _windows(context: Context, asked: Common, span: Span, by: tuple[str, ...]) -> Question:
    return _question(context, LINKS, span, context.conditions(asked, LINKS), by)


def _question(
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


def _days(context: Context, asked: Common) -> Span:
    return filters.span(asked.from_, asked.to, "10m" if asked.bin == "auto" else asked.bin, context.now_ms)


def _top(rows: Sequence[Sequence[Any]], place: int, volume: int, most: int) -> set[Any]:
    totals: dict[Any, int] = defaultdict(int)
    for row in rows:
        totals[row[place]] += row[volume]
    return set(sorted(totals, key=lambda name: (-totals[name], str(name)))[:most])


def _flagged(context: Context, table: Table) -> Table:
    """Adds ``unfinished`` and ``not_final`` to rows of windows."""
    assert table.span is not None
    names_ = [column.name for column in table.columns]
    final = names_.index("final_at")
    start = names_.index("window_start") if "window_start" in names_ else None
    width_ms = WIDTHS_MS[table.span.width]
    for number, row in enumerate(table.rows):
        end = table.span.to_ms if start is None else int(row[start].timestamp()) * 1000 + width_ms
        table.rows[number] = [*row, end > context.now_ms, row[final] is None]
    table.columns = (*table.columns, Column("unfinished", "flag"), Column("not_final", "flag"))
    return table
