"""What waits in brokers' queues and for consumer groups: every sample, or how each of them stands."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from pipeline.stages.backlog import KNOWN_FOR_S
from pipeline.store.queries.conditions import clauses
from pipeline.store.queries.instants import to_datetime
from pipeline.store.queries.question import Question
from pipeline.store.queries.reports import BACKLOG
from pipeline.store.queries.statement import Statement, between, ordered, view

_MEASURED: dict[str, Any] = {
    "depth": sa.BigInteger,
    "oldest_s": sa.Double,
    "consumers": sa.BigInteger,
    "expired": sa.BigInteger,
    "dead": sa.BigInteger,
    "enqueue_rate": sa.Double,
    "dequeue_rate": sa.Double,
}


def backlog_statement(question: Question) -> Statement:
    """Samples, newest first; or, grouped, the last one of each queue or group with the deepest of the range.

    What was not sampled for KNOWN_FOR_S before the end of the range is unknown: none, never 0 and never the old value.
    """
    table = view("backlog", (*BACKLOG.keys, "sampled_at", *_MEASURED))
    expressions: dict[str, Any] = {name: table.c[name] for name in (*BACKLOG.keys, "sampled_at", *_MEASURED)}
    if question.by:
        expressions |= _last(table, question)
    columns = tuple(column for column in BACKLOG.columns if column.name in expressions)
    inside = [c for c in question.where if c.column in BACKLOG.keys]
    select = (
        sa.select(*(expressions[column.name].label(column.name) for column in columns))
        .where(*between(table.c.sampled_at, question.from_ms, question.to_ms), *clauses(inside, expressions))
        .order_by(*ordered(question.order, expressions))
    )
    keys = [table.c[name] for name in BACKLOG.keys]
    select = select.group_by(*keys) if question.by else select.order_by(table.c.sampled_at.desc())
    return Statement(select.order_by(*keys), columns, question.from_ms, question.to_ms)


def _last(table: sa.TableClause, question: Question) -> dict[str, Any]:
    end_ms = question.now_ms if question.to_ms is None else min(question.to_ms, question.now_ms)
    newest = sa.func.max(table.c.sampled_at)
    is_known = newest >= to_datetime(max(end_ms - KNOWN_FOR_S * 1000, 0))
    last: dict[str, Any] = {"sampled_at": newest}
    for name, kind in _MEASURED.items():
        values = sa.func.array_agg(aggregate_order_by(table.c[name], table.c.sampled_at.desc()))
        last[name] = sa.case((is_known, sa.type_coerce(values, ARRAY(kind))[1]))
    return last | {"depth_max": sa.func.max(table.c.depth), "samples": sa.func.count()}
