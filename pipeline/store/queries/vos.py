"""VOs side by side on a link, at a site or in another group: what each did, and its part in what all of them moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from pipeline.store.queries.columns import Column
from pipeline.store.queries.conditions import clauses
from pipeline.store.queries.question import Question
from pipeline.store.queries.statement import Statement, ordered
from pipeline.store.queries.windows import windows_statement


def vos_statement(question: Question) -> Statement:
    """The windows or groups that a question is about, the VOs of each together: newest or most bytes first.

    Shares are of all VOs, so conditions on the VO and on measures only choose among the rows that have theirs.
    """
    report = question.report
    groups = question.by or (report.time, *report.keys)
    apart = tuple(name for name in groups if name not in report.sides)
    before = tuple(
        c for c in question.where if c.column in (report.time, *report.keys) and c.column not in report.sides
    )
    added = windows_statement(replace(question, where=before, order=()))
    vo = added.select.order_by(None).subquery("vo")
    together = [vo.c[name] for name in apart]
    moved = sa.cast(vo.c.bytes_moved, sa.Numeric)
    all_moved = sa.func.sum(moved).over(partition_by=together)
    share = sa.cast(moved / sa.func.nullif(all_moved, 0), sa.Double)
    sided = sa.select(
        *vo.c,
        share.label("share"),
        sa.func.count().over(partition_by=together).label("vos"),
        all_moved.label("all_moved"),
    ).subquery("sided")
    names = {column.name for column in added.columns} | {"share", "vos"}
    columns: tuple[Column, ...] = tuple(report.column(name) for name in groups)
    columns += tuple(column for column in report.columns if column.name in names and column not in columns)
    expressions: dict[str, Any] = {column.name: sided.c[column.name] for column in columns}
    chosen = (c for c in question.where if c not in before)
    newest = [sided.c[report.time].desc()] if report.time in groups else []
    ties = [sided.c.all_moved.desc(), *(sided.c[name] for name in apart if name != report.time)]
    select = (
        sa.select(*expressions.values())
        .where(*clauses(chosen, expressions))
        .order_by(*ordered(question.order, expressions), *newest, *ties, sided.c.bytes_moved.desc(), sided.c.vo)
    )
    return Statement(select, columns, added.from_ms, added.to_ms)
