"""Windows added up: totals, series, ranked lists, stages, VOs beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pipeline.store.queries.answer import columns_of
from pipeline.store.queries.columns import Column
from pipeline.store.queries.question import Condition, Question
from pipeline.store.queries.reports import CHANNELS, LINKS, VO_PAIRS
from pipeline.store.queries.vo_pairs import FEWEST
from pipeline.web import filters
from pipeline.web.asks.shared import FLAGS, flagged, question, ranked, windows
from pipeline.web.context import Context
from pipeline.web.filters import Span
from pipeline.web.parameters import (
    Common,
    Listed,
    Ranked,
    SeriesParameters,
    SitesParameters,
    StagesParameters,
    SummaryParameters,
)
from pipeline.web.problems import bad_parameter
from pipeline.web.table import Table

MAX_POINTS = 10_000
_SHIFT_MS = {"1d": filters.DAY_MS, "7d": 7 * filters.DAY_MS}


def summary(context: Context, asked: SummaryParameters) -> Table:
    """Totals of each technology; ``period`` is ``asked`` or ``before``."""
    span = context.span(asked)
    context.check(asked, span)
    asking = windows(context, asked, span, ("technology",))
    table = context.groups(asking, span)
    rows: list[Sequence[Any]] = [["asked", *row] for row in table.rows]
    if asked.compare:
        shift = _SHIFT_MS[asked.compare]
        end = min(span.to_ms, context.now_ms) - shift
        before = replace(asking, from_ms=span.from_ms - shift, to_ms=end)
        rows += [["before", *row] for row in context.groups(before, span).rows]
    context.gaps(asked, span)
    return flagged(context, Table((Column("period", "text"), *table.columns), rows, span, table.meta))


def series(context: Context, asked: SeriesParameters) -> Table:
    """A row for each window and group in which anything happened, oldest first.

    ``meta.gaps`` tells when a source was not heard: there, nothing is unknown and not 0.
    """
    span = context.span(asked)
    context.check(asked, span)
    by = context.by(LINKS, asked.by, ())
    groups = tuple(dict.fromkeys(("window_start", "technology", *by)))
    asking = windows(context, asked, span, groups)
    plain, told = (columns_of(each) for each in (asking, replace(asking, stages=True)))
    known = [column.name for column in told]
    for name in asked.measure:
        if name not in known or name in groups:
            raise bad_parameter("measure", f"there is no {name!r} to be given", known[len(groups) :])
    needs_stages = not {column.name for column in plain}.issuperset(asked.measure)
    table = context.groups(replace(asking, stages=needs_stages), span, MAX_POINTS)
    table.rows.sort(key=lambda row: (row[0], *(value or "" for value in row[1 : len(groups)])))
    table = flagged(context, table)
    context.gaps(asked, span)
    return table.only((*groups, *asked.measure, *FLAGS)) if asked.measure else table


def links(context: Context, asked: Ranked) -> Table:
    """Links, those with most bytes first."""
    return ranked(context, asked, LINKS, ("src_host", "dst_host", "src_site", "dst_site"), asked.by)


def channels(context: Context, asked: Ranked) -> Table:
    """Channels of FTS, with the links that had traffic; xrootd has none."""
    return ranked(context, asked, CHANNELS, ("fts", "channel"), asked.by, (Condition("channel", "!=", None),))


def sites(context: Context, asked: SitesParameters) -> Table:
    """Sites as senders (out) or receivers (in)."""
    return ranked(context, asked, LINKS, ("src_site" if asked.direction == "out" else "dst_site",), "")


def vos(context: Context, asked: Listed) -> Table:
    """VOs."""
    return ranked(context, asked, LINKS, ("vo",), "")


def stages(context: Context, asked: StagesParameters) -> Table:
    """Count, mean and quantiles of each stage of ok transfers, by technology and what is asked."""
    span = context.span(asked)
    context.check(asked, span)
    by = context.by(LINKS, asked.by, ("technology",))
    asking = replace(windows(context, asked, span, by), stages=True, quantiles=filters.shares(asked.p))
    return context.groups(asking, span, MAX_POINTS)


def correlation(context: Context, asked: Ranked) -> Table:
    """Each VO beside each other one that it met, window by window; of several VOs that are asked for, those alone.

    Coefficients of fewer than ``meta.fewest`` windows are none. What moves together need not be cause and effect.
    """
    span = context.span(asked)
    context.check(asked, span)
    where = context.conditions(asked, VO_PAIRS)
    named = [each for each in where if each.column == "vo" and each.operator == "="]
    if len(named) > 1:
        where += tuple(Condition("other_vo", "=", each.value) for each in named)
    levels = [each.column for each in where if each.column.startswith(("src_", "dst_"))]
    by = context.by(VO_PAIRS, asked.by, tuple(dict.fromkeys(levels)) or ("src_site", "dst_site"))
    context.meta["fewest"] = FEWEST
    asking = question(context, VO_PAIRS, span, where, by)
    return context.listed(asked, asking, span, usual="-together", ties=by)


def export(context: Context, asked: Common) -> tuple[Question, Span]:
    """The question of an export, whose rows are streamed."""
    span = context.span(asked)
    context.check(asked, span)
    return question(context, LINKS, span, context.conditions(asked, LINKS)), span
