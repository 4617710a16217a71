"""Conditions as SQL. Values are bound, never written into the text."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from pipeline.store.queries.question import Condition

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_EITHER = ("=", "~")


def clauses(conditions: Iterable[Condition], columns: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    """One clause a column and kind of condition, all of which must hold.

    Several ``=`` or ``~`` on one column mean any of them (``vo=atlas`` and ``vo=cms``); all else must hold together.
    """
    found: list[sa.ColumnElement[bool]] = []
    grouped = sorted(conditions, key=lambda c: (c.column, c.operator in _EITHER))
    for (name, either), group in groupby(grouped, key=lambda c: (c.column, c.operator in _EITHER)):
        each = [_clause(condition, columns[name]) for condition in group]
        found.append(sa.or_(*each) if either else sa.and_(*each))
    return found


def like_pattern(glob: str) -> str:
    """The LIKE pattern (escape ``\\``) of a pattern in which ``*`` is any text and ``?`` any character."""
    escaped = glob.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%").replace("?", "_")


def _clause(condition: Condition, column: Any) -> sa.ColumnElement[bool]:
    if condition.operator == "=":
        equal: sa.ColumnElement[bool] = column == condition.value  # IS NULL for None
        return equal
    if condition.operator == "in":
        assert isinstance(condition.value, tuple)
        among: sa.ColumnElement[bool] = column.in_(condition.value)
        return among
    if condition.operator == "!=":
        differs: sa.ColumnElement[bool] = column.is_distinct_from(condition.value)
        return differs
    if condition.operator in ("~", "!~"):
        like = sa.cast(column, sa.Text).ilike(like_pattern(str(condition.value)), escape="\\")
        return like if condition.operator == "~" else sa.not_(sa.func.coalesce(like, sa.false()))
    compared: sa.ColumnElement[bool] = _COMPARE[condition.operator](column, condition.value)
    return compared
