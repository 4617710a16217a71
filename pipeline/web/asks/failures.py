"""Failures by kind, and where a kind occurs."""

from __future__ import annotations

from pipeline.store.queries.failures import kind_of
from pipeline.store.queries.question import Condition
from pipeline.store.queries.reports import ERRORS, KIND_OF_FAILURE
from pipeline.web import filters
from pipeline.web.asks.shared import question
from pipeline.web.context import Context
from pipeline.web.parameters import ErrorLinksParameters, ErrorParameters
from pipeline.web.problems import Problem
from pipeline.web.table import Table


def errors(context: Context, asked: ErrorParameters) -> Table:
    """Failures by kind, the most first; the sample is for readers of all VOs."""
    span = filters.span(asked.from_, asked.to, "10m", context.now_ms)
    context.check(asked, span)
    report = ERRORS
    where = [*context.conditions(asked, report)]
    for name in ("scope", "phase", "category", "code"):
        where += filters.one_of(name, getattr(asked, name))
    if asked.text:
        where.append(Condition("template", "~", f"*{asked.text}*"))
    by = context.by(report, asked.by, KIND_OF_FAILURE)
    asking = question(context, report, span, tuple(where), by)
    table = context.listed(asked, asking, span, usual="-count", ties=by)
    return table if context.sees_samples else table.without("sample")


def error_links(context: Context, asked: ErrorLinksParameters) -> Table:
    """The links that a kind of failure touched, the most failures first; raises Problem 404 for no such kind.

    ``meta.kind`` says what the kind is.
    """
    span = filters.span(asked.from_, asked.to, "10m", context.now_ms)
    context.check(asked, span)
    kind = kind_of(context.connection, asked.id)
    if kind is None:
        raise Problem(404, "there is no kind of failure of this id: ids stand in the rows of /api/v1/errors")
    context.meta["kind"] = kind
    same = tuple(Condition(name, "=", value) for name, value in kind.items())
    by = context.by(ERRORS, "", ("src_host", "dst_host", "src_site", "dst_site", "vo"))
    asking = question(context, ERRORS, span, (*context.conditions(asked, ERRORS), *same), by)
    table = context.listed(asked, asking, span, usual="-count", ties=by).without("links")
    return table if context.sees_samples else table.without("sample")
