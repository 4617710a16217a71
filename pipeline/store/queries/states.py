"""States that files of jobs reached, and how long active ones had waited in the queue and been staged."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from pipeline.stages.windows import BASE_MS
from pipeline.store.queries.conditions import clauses
from pipeline.store.queries.instants import ceil_ms, floor_ms
from pipeline.store.queries.question import Question
from pipeline.store.queries.reports import STATES, WAITS
from pipeline.store.queries.statement import Statement, between, ordered, view


def states_statement(question: Question) -> Statement:
    """The windows that a question is about, newest first; groups with the most messages first."""
    from_ms = None if question.from_ms is None else floor_ms(question.from_ms, BASE_MS)
    to_ms = None if question.to_ms is None else ceil_ms(question.to_ms, BASE_MS)
    stored = [f"{wait}_{part}" for wait in WAITS for part in ("count", "sum", "min", "max")]
    table = view(STATES.view, (*STATES.keys, "count", *stored, "updated_at"))
    measures = _measures(table, grouped=bool(question.by))
    keys = question.by or STATES.keys
    columns = tuple(column for column in STATES.columns if column.name in keys or column.name in measures)
    expressions: dict[str, Any] = {name: table.c[name] for name in STATES.keys} | measures
    over = clauses((c for c in question.where if c.column in measures), measures)
    inside = clauses((c for c in question.where if c.column not in measures), expressions)
    columns = (*(STATES.column(name) for name in keys), *(c for c in columns if c.name in measures))
    select = sa.select(*(expressions[column.name].label(column.name) for column in columns))
    select = select.where(*between(table.c.window_start, from_ms, to_ms), *inside)
    grouped = [table.c[name] for name in question.by]
    select = select.group_by(*grouped).having(*over) if grouped else select.where(*over)
    newest = [table.c.window_start.desc()] if "window_start" in keys else []
    ties = [measures["count"].desc(), *(table.c[name] for name in keys if name != "window_start")]
    return Statement(select.order_by(*ordered(question.order, expressions), *newest, *ties), columns, from_ms, to_ms)


def _measures(table: sa.TableClause, *, grouped: bool) -> dict[str, Any]:
    def over(function: Any, column: Any) -> Any:
        return function(column) if grouped else column

    measures: dict[str, Any] = {"count": over(sa.func.sum, table.c["count"])}
    for wait in WAITS:
        number = over(sa.func.sum, table.c[f"{wait}_count"])
        total = sa.cast(over(sa.func.sum, table.c[f"{wait}_sum"]), sa.Double)
        measures[f"{wait}_count"] = number
        measures[f"{wait}_mean"] = total / sa.func.nullif(sa.cast(number, sa.Double), 0)
        measures[f"{wait}_min"] = over(sa.func.min, table.c[f"{wait}_min"])
        measures[f"{wait}_max"] = over(sa.func.max, table.c[f"{wait}_max"])
    measures["updated_at"] = over(sa.func.max, table.c.updated_at)
    return measures
