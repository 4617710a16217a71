"""A question as SQL over the views of ``report``, not yet asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

from pipeline.store.queries.columns import Column
from pipeline.store.queries.instants import to_datetime
from pipeline.store.queries.question import Order

_DIALECT: sa.Dialect = PGDialect_psycopg2()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Statement:
    """The SELECT, the columns that it gives, and the range of time that it covers (ms; None where left open)."""

    select: sa.Select[Any]
    columns: tuple[Column, ...]
    from_ms: int | None
    to_ms: int | None


def view(name: str, columns: Iterable[str]) -> sa.TableClause:
    """A view of ``report`` with those of its columns that the statement uses."""
    return sa.table(name, *(sa.column(column) for column in columns), schema="report")


def between(column: Any, from_ms: int | None, to_ms: int | None) -> list[Any]:
    """The clauses of a half-open range of time."""
    clauses = []
    if from_ms is not None:
        clauses.append(column >= to_datetime(from_ms))
    if to_ms is not None:
        clauses.append(column < to_datetime(to_ms))
    return clauses


def state_of_group(table: sa.FromClause) -> dict[str, Any]:
    """What is known of windows that are added up: a group is final when all of them are, since the last was."""
    final = table.c.final_at
    return {
        "final_at": sa.case((sa.func.bool_and(final.is_not(None)), sa.func.max(final))),
        "updated_at": sa.func.max(table.c.updated_at),
        "stale": sa.func.bool_or(table.c.stale),
    }


def ordered(orders: Iterable[Order], expressions: Mapping[str, Any]) -> list[Any]:
    """The ORDER BY of what the user asked for; none sorts last either way."""
    return [
        (expressions[order.column].desc() if order.descending else expressions[order.column].asc()).nulls_last()
        for order in orders
    ]


def as_sql(select: sa.Select[Any]) -> tuple[str, Any]:
    """Text and parameters of a statement, as a cursor takes them."""
    compiled = select.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return str(compiled), compiled.params
