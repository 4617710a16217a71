"""Queues: windows as they are, or put together by what the user groups by.

The same jobs stand under every VO and channel of their pair of hosts, so nothing but samples is ever added up: groups
have the last, the mean and the maximum over all of their samples.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from pipeline.stages.windows import BASE_MS
from pipeline.store.queries.conditions import clauses
from pipeline.store.queries.instants import ceil_ms, floor_ms
from pipeline.store.queries.question import Question
from pipeline.store.queries.reports import QUEUES
from pipeline.store.queries.statement import Statement, between, ordered, view

_MEASURED = ("active", "ready", "ratio")


def queues_statement(question: Question) -> Statement:
    """The windows of queues that a question is about, newest first; groups with the most active transfers first."""
    from_ms = None if question.from_ms is None else floor_ms(question.from_ms, BASE_MS)
    to_ms = None if question.to_ms is None else ceil_ms(question.to_ms, BASE_MS)
    if question.by:
        table = view("queue_sample", (*QUEUES.keys, "sampled_at", *_MEASURED))
        measures = _over_samples(table)
    else:
        table = view("queue_10m", (column.name for column in QUEUES.columns))
        measures = {column.name: table.c[column.name] for column in QUEUES.columns if column.name not in QUEUES.keys}
    keys = question.by or QUEUES.keys
    expressions: dict[str, Any] = {name: table.c[name] for name in QUEUES.keys} | measures
    over = clauses((c for c in question.where if c.column in measures), measures)
    columns = tuple(column for column in QUEUES.columns if column.name in keys or column.name in measures)
    select = sa.select(*(expressions[column.name].label(column.name) for column in columns))
    inside = clauses((c for c in question.where if c.column not in measures), expressions)
    select = select.where(*between(table.c.window_start, from_ms, to_ms), *inside)
    grouped = [table.c[name] for name in question.by]
    select = select.group_by(*grouped).having(*over) if grouped else select.where(*over)
    newest = [table.c.window_start.desc()] if "window_start" in keys else []
    ties = [measures["active_max"].desc().nulls_last(), *(table.c[name] for name in keys if name != "window_start")]
    select = select.order_by(*ordered(question.order, expressions), *newest, *ties)
    return Statement(select, columns, from_ms, to_ms)


def _over_samples(table: sa.TableClause) -> dict[str, Any]:
    """The measures of ``report.queue_10m`` over the samples of a group; of several last ones the largest counts."""
    measures: dict[str, Any] = {}
    for name in _MEASURED:
        column = table.c[name]
        newest_first = sa.func.array_agg(aggregate_order_by(column, table.c.sampled_at.desc(), column.desc()))
        known = newest_first.filter(column.is_not(None))
        measures[f"{name}_last"] = sa.type_coerce(known, ARRAY(sa.Numeric))[1]
        measures[f"{name}_avg"] = sa.cast(sa.func.avg(sa.cast(column, sa.Numeric)), sa.Double)
        measures[f"{name}_max"] = sa.func.max(column)
    peak = sa.func.nullif(measures["active_max"], 0)
    measures["active_to_max"] = measures["active_avg"] / peak
    measures["samples"] = sa.func.count()
    return measures
