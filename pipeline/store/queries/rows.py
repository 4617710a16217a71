"""Rows newest first, or counted by what the user groups by: transfers, starts in flight, dead letters, alerts;
failures, which are counted already."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from pipeline.stages.windows import BASE_MS
from pipeline.store.queries.columns import Column
from pipeline.store.queries.conditions import clauses
from pipeline.store.queries.instants import ceil_ms, floor_ms
from pipeline.store.queries.question import Question
from pipeline.store.queries.reports import ALERTS, DEAD_LETTERS, ERRORS, KIND_OF_FAILURE, TRANSFERS
from pipeline.store.queries.statement import Statement, between, ordered, view
from schemas.events import OK

COUNT = Column("count", "count")
FAILURES = (
    Column("links", "count"),
    Column("first_seen", "time"),
    Column("last_seen", "time"),
    Column("sample", "text"),
)
"""What a group of failures also has: distinct links, its first and last window, the sample of the first one."""

_COMPUTED = {DEAD_LETTERS.name: "size", TRANSFERS.name: "throughput", ERRORS.name: "id"}


def rows_statement(question: Question) -> Statement:
    """The rows that a question is about, or how many there are of each group, the most first."""
    report = question.report
    from_ms, to_ms = question.from_ms, question.to_ms
    if report.counts:  # windows, so the range goes from edge to edge
        from_ms = None if from_ms is None else floor_ms(from_ms, BASE_MS)
        to_ms = None if to_ms is None else ceil_ms(to_ms, BASE_MS)
    stored = [column.name for column in report.columns if column.name != _COMPUTED.get(report.name)]
    table = view(report.view, [*stored, "body"] if report is DEAD_LETTERS else stored)
    expressions: dict[str, Any] = {name: table.c[name] for name in stored}
    time: Any = table.c[report.time]
    if report is DEAD_LETTERS:
        expressions["size"] = sa.func.octet_length(table.c.body)
        # A line of a file need not say when it was received; the time at which it died is always known.
        time = sa.func.coalesce(time, table.c.died_at)
    if report is TRANSFERS:
        # Of ok ones with a streaming time, as in the windows.
        streamed = sa.and_(table.c.state == OK, table.c.streaming_ms > 0)
        expressions["throughput"] = sa.case((streamed, sa.cast(table.c.bytes, sa.Double) * 1000 / table.c.streaming_ms))
    if report is ERRORS:
        expressions["id"] = sa.func.report.error_id(*(table.c[name] for name in KIND_OF_FAILURE))
    restricted = [
        *between(time, from_ms, to_ms),
        *clauses(question.where, expressions),
    ]
    if question.by:
        counted = sa.func.sum(table.c["count"]) if report.counts else sa.func.count()
        expressions |= {name: sa.func.sum(expressions[name]) for name in report.totals} | {"count": counted}
        named = report is ERRORS and set(KIND_OF_FAILURE) <= set(question.by)
        columns = (
            *(report.column(name) for name in (*question.by, *(("id",) if named else ()))),
            COUNT,
            *(report.column(name) for name in report.totals),
            *(FAILURES if report.counts else ()),
        )
        if report.counts:
            expressions |= _failures(table, question)
        last = [expressions["count"].desc(), *(table.c[name] for name in question.by)]
    else:
        columns = report.columns
        last = [time.desc()]
        if report is ALERTS:
            last = [table.c.cleared_at.is_not(None), *last, table.c.id.desc()]  # open ones first
    select = sa.select(*(expressions[column.name].label(column.name) for column in columns)).where(*restricted)
    if question.by:
        select = select.group_by(*(table.c[name] for name in question.by))
    select = select.order_by(*ordered(question.order, expressions), *last)
    return Statement(select, columns, from_ms, to_ms)


def _failures(table: sa.TableClause, question: Question) -> dict[str, Any]:
    window = table.c.window_start
    # A pair as text sorts twice as fast as one as a row; the length keeps "a", "bc" and "ab", "c" apart.
    pair = sa.func.concat(sa.func.length(table.c.src_host), " ", table.c.src_host, table.c.dst_host)
    return {
        "links": sa.func.count(sa.distinct(pair)),
        "first_seen": sa.func.min(window),
        "last_seen": sa.func.max(window),
        "sample": _first_sample(table, question),
    }


def _first_sample(table: sa.TableClause, question: Question) -> sa.ScalarSelect[Any]:
    """The sample of a group's first window, looked up there: to sort all samples of all windows takes far longer."""
    first = table.alias("first")
    expressions: dict[str, Any] = {column.name: column for column in first.c}
    expressions["id"] = sa.func.report.error_id(*(first.c[name] for name in KIND_OF_FAILURE))
    return (
        sa.select(first.c.sample)
        .where(
            first.c.window_start == sa.func.min(table.c.window_start),
            *(first.c[name].is_not_distinct_from(table.c[name]) for name in question.by),
            *clauses(question.where, expressions),
        )
        .order_by(first.c.sample)
        .limit(1)
        .correlate(table)
        .scalar_subquery()
    )
