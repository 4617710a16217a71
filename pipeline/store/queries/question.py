"""A question as a value: which report, which time, which rows, grouped and ordered how.

Everything that a user writes is checked here, so that only known column names and bound values reach SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast, get_args

from pipeline.store.queries.columns import Kind
from pipeline.store.queries.errors import BadQuery
from pipeline.store.queries.instants import parse_instant, to_datetime
from pipeline.store.queries.reports import REPORTS, Report

Operator = Literal["=", "!=", "~", "!~", ">", ">=", "<", "<=", "in"]

_CONDITION = re.compile(r"\s*([A-Za-z_0-9]+)\s*(!=|!~|>=|<=|=|~|>|<)(.*)", re.DOTALL)
_FOR_TEXT: frozenset[Operator] = frozenset({"=", "!=", "~", "!~"})
_FOR_ORDERED: frozenset[Operator] = frozenset({"=", "!=", ">", ">=", "<", "<="})
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}
CONDITION_FORM = (
    "write COLUMN=VALUE or !=, ~ or !~ with * and ? in the value, or > >= < <= for numbers and times; "
    "nothing after = means none"
)


@dataclass(frozen=True)
class Condition:
    """One condition on a column; ``value`` is None for "has none", a tuple of values for ``in``.

    Nobody can write ``in``: it holds whatever else is asked.
    """

    column: str
    operator: Operator
    value: object


@dataclass(frozen=True)
class Order:
    """A column to sort by."""

    column: str
    descending: bool


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked. Times are ms since the epoch, half-open, None where it is left open; ``limit`` None asks for all.

    Window reports round the range outward to window edges of ``width``, a key of WIDTHS_MS. Without ``by`` they give a
    row for every window and key; with it, one for every combination of those columns over the whole range. These may
    come from wider windows, but for those that hold an instant of ``held_ms`` (``coarsest.py``). ``quantiles`` are
    shares between 0 and 1, of ``stages``; ``search`` leaves on pages the rows that have this text in a name, in any
    case.
    """

    report: Report
    now_ms: int
    from_ms: int | None = None
    to_ms: int | None = None
    width: str = "10m"
    by: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    stages: bool = False
    quantiles: tuple[float, ...] = (0.5, 0.95)
    search: str = ""
    held_ms: tuple[int, ...] = ()


def report_named(name: str) -> Report:
    """The report; raises BadQuery when there is none of that name."""
    if name not in REPORTS:
        raise BadQuery(f"there is no report {name!r}: known are {', '.join(REPORTS)}")
    return REPORTS[name]


def parse_by(report: Report, written: Iterable[str]) -> tuple[str, ...]:
    """The columns to group by, from ``a,b`` and repeated options; ``technology`` comes first where there is one.

    One movement of bytes may be told by two technologies, so rows of different ones are never added up. The sides of
    a report are told apart whether they are named or not.
    """
    columns = [name if name in report.sides else report.key(name) for name in _names(written)]
    if columns and "technology" in report.keys and "technology" not in columns:
        columns.insert(0, "technology")
    if columns:
        columns += report.sides
    return tuple(dict.fromkeys(columns))


def parse_order(known: Iterable[str], written: Iterable[str]) -> tuple[Order, ...]:
    """The columns to sort by, ``-`` before a name for falling; raises BadQuery for one that the answer lacks."""
    names = tuple(known)
    orders = []
    for name in _names(written):
        order = Order(name.removeprefix("-"), name.startswith("-"))
        if order.column not in names:
            raise BadQuery(f"the answer has no column {order.column!r} to sort by: known are {', '.join(names)}")
        orders.append(order)
    return tuple(orders)


def parse_condition(report: Report, written: str, now_ms: int) -> Condition:
    """A condition as people write it, such as ``vo=atlas``, ``src_site~CERN*``, ``failed>100``.

    Raises BadQuery for a form, a column, an operator or a value that cannot be meant.
    """
    match = _CONDITION.fullmatch(written)
    if match is None:
        raise BadQuery(f"{written!r} is not a condition: {CONDITION_FORM}")
    column, operator, text = match[1].lower(), cast(Operator, match[2]), match[3].strip()
    assert operator in get_args(Operator)
    kind = report.column(column).kind
    allowed = _FOR_TEXT if kind == "text" else frozenset({"=", "!="}) if kind == "flag" else _FOR_ORDERED
    if operator not in allowed or kind == "headers":
        raise BadQuery(f"{column} cannot be compared with {operator}: {CONDITION_FORM}")
    if text == "":
        if operator not in ("=", "!="):
            raise BadQuery(f"{written!r} has no value: {CONDITION_FORM}")
        return Condition(column, operator, None)
    return Condition(column, operator, _value(column, kind, text, now_ms))


def _value(column: str, kind: Kind, text: str, now_ms: int) -> object:
    if kind == "text":
        return text
    if kind == "time":
        return to_datetime(parse_instant(text, now_ms))
    if kind == "flag":
        if text.lower() not in _TRUTH:
            raise BadQuery(f"{column} is true or false, not {text!r}")
        return _TRUTH[text.lower()]
    try:
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        raise BadQuery(f"{column} is a number, not {text!r}") from None


def _names(written: Iterable[str]) -> list[str]:
    return [name.strip() for part in written for name in part.split(",") if name.strip()]
