"""A VO beside each other one: window by window on the same link, or in any other group.

Two VOs are together in a window when both finished a transfer or moved bytes in it. A VO is failing in a window when
FAILING of its finished transfers or more failed. Correlations are over windows in which both have the value: of failing
or not, the phi coefficient; of bytes moved, Spearman's rank correlation where both moved some; None below FEWEST of
them, and where one never changes.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.conditions import clauses
from pipeline.store.queries.instants import ceil_ms, floor_ms
from pipeline.store.queries.question import Question
from pipeline.store.queries.reports import REPORTS_FAILURES, VO_PAIRS
from pipeline.store.queries.statement import Statement, between, ordered, view

FAILING = 0.2
"""The share of failed among finished transfers from which a window is failing."""

FEWEST = 24
"""Windows below which there is no correlation."""

_TOLD_APART = ("technology", "src_host", "dst_host", "src_site", "dst_site")
_SUMMED = ("ok", "failed", "aborted", "bytes_moved", "throughput_sum", "throughput_count")
_TOTALS = ("ok", "failed", "throughput_sum", "throughput_count")


def vo_pairs_statement(question: Question) -> Statement:
    """Each VO with each other one it met, in both orders; those most together first."""
    width_ms = WIDTHS_MS[question.width]
    from_ms = None if question.from_ms is None else floor_ms(question.from_ms, width_ms)
    to_ms = None if question.to_ms is None else ceil_ms(question.to_ms, width_ms)
    groups = tuple(name for name in question.by or _TOLD_APART if name not in VO_PAIRS.sides)
    before = [c for c in question.where if c.column in VO_PAIRS.keys]
    after = [c for c in question.where if c.column not in VO_PAIRS.keys]

    windows = _windows(question, groups, [*between(sa.column("window_start"), from_ms, to_ms)], before)
    all_of_vo = _totals(windows, groups)
    met = _met(windows, groups)
    measures = _measures(met, all_of_vo)
    columns = tuple(
        column for column in VO_PAIRS.columns if column.name in (*groups, *VO_PAIRS.sides) or column.name in measures
    )
    expressions: dict[str, Any] = {name: met.c[name] for name in (*groups, *VO_PAIRS.sides)} | measures
    joined = met.join(all_of_vo, sa.and_(_same(met, all_of_vo, groups), met.c.vo == all_of_vo.c.vo))
    keys = [met.c[name] for name in (*groups, *VO_PAIRS.sides)]
    own = [all_of_vo.c[name] for name in ("windows", *_TOTALS)]
    select = (
        sa.select(*(expressions[column.name].label(column.name) for column in columns))
        .select_from(joined)
        .where(*clauses((c for c in after if c.column in VO_PAIRS.sides), expressions))
        .group_by(*keys, *own)
        .having(*clauses((c for c in after if c.column not in VO_PAIRS.sides), expressions))
        .order_by(*ordered(question.order, expressions), measures["together"].desc(), *keys)
    )
    return Statement(select, columns, from_ms, to_ms)


def _windows(question: Question, groups: tuple[str, ...], inside: list[Any], where: list[Any]) -> sa.CTE:
    """What each VO did in each window and group, where it did something; none in a key is an empty text."""
    table = view(f"link_{question.width}", ("window_start", *VO_PAIRS.keys, "vo", *_SUMMED))
    columns: dict[str, Any] = {name: table.c[name] for name in VO_PAIRS.keys}
    sums = {name: sa.func.sum(table.c[name]) for name in _SUMMED}
    tried = sums["ok"] + sums["failed"]
    failing = sa.case((sa.and_(table.c.technology.in_(REPORTS_FAILURES), tried > 0), sums["failed"] >= FAILING * tried))
    key = [table.c.window_start, *(columns[name] for name in groups), table.c.vo]
    return (
        sa.select(*key, *(total.label(name) for name, total in sums.items()), failing.label("failing"))
        .where(*inside, *clauses(where, columns))
        .group_by(*key)
        .having(tried + sums["aborted"] + sums["bytes_moved"] > 0)
        .cte("vo_window")
    )


def _totals(windows: sa.CTE, groups: tuple[str, ...]) -> sa.CTE:
    """What each VO did in each group over all windows."""
    key = [windows.c[name] for name in (*groups, "vo")]
    sums = [sa.func.sum(windows.c[name]).label(name) for name in _TOTALS]
    return sa.select(*key, sa.func.count().label("windows"), *sums).group_by(*key).cte("vo_total")


def _met(windows: sa.CTE, groups: tuple[str, ...]) -> sa.CTE:
    """A row for each window that two VOs share, with the ranks of their bytes among those in which both moved some."""
    other = windows.alias("other")
    both = windows.join(
        other,
        sa.and_(
            windows.c.window_start == other.c.window_start, _same(windows, other, groups), windows.c.vo != other.c.vo
        ),
    )
    moved, other_moved = windows.c.bytes_moved, other.c.bytes_moved
    both_move = sa.and_(moved > 0, other_moved > 0)
    pair = [*(windows.c[name] for name in groups), windows.c.vo, other.c.vo, both_move]
    return (
        sa.select(
            *(windows.c[name] for name in (*groups, "vo", *_TOTALS, "bytes_moved", "failing")),
            other.c.vo.label("other_vo"),
            other_moved.label("other_moved"),
            other.c.failing.label("other_failing"),
            both_move.label("both_move"),
            _rank(moved, pair).label("rank"),
            _rank(other_moved, pair).label("other_rank"),
        )
        .select_from(both)
        .cte("met")
    )


def _rank(value: Any, pair: list[Any]) -> Any:
    """Ranks as Spearman has them: equal values share the mean of theirs."""
    equals = sa.func.count().over(partition_by=[*pair, value])
    return sa.func.rank().over(partition_by=pair, order_by=value) + (equals - 1) / sa.literal(2.0)


def _same(one: Any, other: Any, groups: tuple[str, ...]) -> sa.ColumnElement[bool]:
    # As texts, because IS NOT DISTINCT FROM cannot be hashed.
    return sa.and_(*(sa.func.coalesce(one.c[name], "") == sa.func.coalesce(other.c[name], "") for name in groups))


def _measures(met: sa.CTE, own: sa.CTE) -> dict[str, Any]:
    """The measures of a pair by their names."""
    count = sa.func.count()
    failing, other_failing = met.c.failing, met.c.other_failing
    moved, other_moved = sa.func.sum(met.c.bytes_moved), sa.func.sum(met.c.other_moved)
    together = {name: sa.func.sum(met.c[name]) for name in _TOTALS}
    alone = {name: own.c[name] - together[name] for name in _TOTALS}
    fails = sa.cast(sa.cast(failing, sa.Integer), sa.Double)
    other_fails = sa.cast(sa.cast(other_failing, sa.Integer), sa.Double)
    both_known = sa.and_(failing.is_not(None), other_failing.is_not(None))
    return {
        "windows": own.c.windows,
        "together": count,
        "failing": count.filter(failing),
        "other_failing": count.filter(other_failing),
        "both_failing": count.filter(sa.and_(failing, other_failing)),
        "failing_correlation": _correlation(fails, other_fails, both_known),
        "efficiency_together": _efficiency(met, together),
        "efficiency_alone": _efficiency(met, alone),
        "bytes_together": moved,
        "other_bytes_together": other_moved,
        "share": _ratio(moved, moved + other_moved),
        "throughput_together": _ratio(together["throughput_sum"], together["throughput_count"]),
        "throughput_alone": _ratio(alone["throughput_sum"], alone["throughput_count"]),
        "throughput_correlation": _correlation(met.c.rank, met.c.other_rank, met.c.both_move),
    }


def _correlation(one: Any, other: Any, where: Any) -> Any:
    found = sa.func.corr(sa.cast(one, sa.Double), sa.cast(other, sa.Double)).filter(where)
    return sa.case((sa.func.count().filter(where) >= FEWEST, found))


def _efficiency(met: sa.CTE, counts: dict[str, Any]) -> Any:
    ratio = _ratio(counts["ok"], counts["ok"] + counts["failed"])
    return sa.case((met.c.technology.in_(REPORTS_FAILURES), ratio))


def _ratio(part: Any, whole: Any) -> Any:
    return sa.cast(part, sa.Double) / sa.func.nullif(sa.cast(whole, sa.Double), 0)
