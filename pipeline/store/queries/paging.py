"""One page of an answer after another by the values of the last row, never by counting rows.

A row that comes or goes between two pages so neither repeats nor hides another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from pipeline.store.queries.question import Order
from pipeline.store.queries.statement import Statement, ordered


def page_of(
    asked: Statement, order: Sequence[Order], after: Sequence[object] | None, text: str = "", names: Sequence[str] = ()
) -> sa.Select[Any]:
    """The rows of a statement in this order, those behind the row whose values of ``order`` are ``after``.

    ``order`` must tell all rows apart. None sorts last either way. With a ``text`` only rows that have it in one of
    these columns, in any case.
    """
    rows = asked.select.order_by(None).subquery("rows")
    columns: dict[str, Any] = {column.name: rows.c[column.name] for column in asked.columns}
    select = sa.select(*columns.values())
    if text:
        select = select.where(sa.or_(*(columns[name].icontains(text, autoescape=True) for name in names)))
    if after is not None:
        select = select.where(_behind([columns[each.column] for each in order], order, after))
    return select.order_by(*ordered(order, columns))


def _behind(columns: Sequence[Any], order: Sequence[Order], after: Sequence[object]) -> sa.ColumnElement[bool]:
    """Row comparison written out, since directions differ and values may be none."""
    clauses: list[sa.ColumnElement[bool]] = []
    same: list[sa.ColumnElement[bool]] = []
    for column, each, value in zip(columns, order, after, strict=True):
        if value is not None:
            further = column < value if each.descending else column > value
            clauses.append(sa.and_(*same, sa.or_(further, column.is_(None))))
            same.append(column == value)
        else:
            same.append(column.is_(None))
    return sa.or_(*clauses) if clauses else sa.false()
