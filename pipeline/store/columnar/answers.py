"""Questions that blocks can answer: counters of links added up over a range, with the very values that SQL gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.columnar.blocks import Blocks
from pipeline.store.columnar.columns import Sorted, column_of
from pipeline.store.columnar.groups import Flags, Groups, TooLarge, added_up
from pipeline.store.queries.coarsest import Piece, pieces
from pipeline.store.queries.conditions import clauses
from pipeline.store.queries.question import Order, Question
from pipeline.store.queries.reports import CHANNELS, LINK_KEYS, LINKS
from pipeline.store.queries.statement import Statement, as_sql, view

MOST_BLOCKS = 400
"""Of a question: two days by ten minutes, two weeks by hours. Of more, Postgres reads the rows that are asked for."""
FEW_LINKS = 200
"""Windows of so few links are found faster by their index."""


def answered(
    connection: Connection, blocks: Blocks, question: Question, asked: Statement, after: Sequence[object] | None = None
) -> list[tuple[Any, ...]] | None:
    """The rows of a question, one more than its limit if there are more; None where SQL has to be asked.

    ``asked`` is the question as SQL, which names the columns. ``after`` are the values of ``question.order`` of a row:
    only rows behind it are given.
    """
    if question.report not in (LINKS, CHANNELS) or not question.by or question.stages or question.search:
        return None
    if asked.from_ms is None or asked.to_ms is None or any(each.column not in LINK_KEYS for each in question.where):
        return None
    apart = question.report.time in question.by
    found = (
        [Piece(question.width, asked.from_ms, asked.to_ms)]
        if apart
        else pieces(asked.from_ms, asked.to_ms, question.width, question.held_ms)
    )
    wanted = [(w, at) for w, begin, end in found for at in range(begin, end, WIDTHS_MS[w])]
    if len(wanted) > MOST_BLOCKS:
        return None
    with connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        links = _links(cursor, question)
        if links is not None and len(links) <= FEW_LINKS:
            return None
        if apart:
            read = list(zip((at for _, at in wanted), blocks.get(cursor, wanted), strict=True))
        else:
            read = [(asked.from_ms, block) for block in blocks.together(cursor, wanted)]
        chosen = None if links is None else _chosen(cursor, blocks, links)
    keys = [name for name in question.by if name != question.report.time]
    try:
        groups = added_up(
            read,
            blocks.keys,
            keys,
            apart=apart,
            chosen=chosen,
            pairs=question.report is CHANNELS,
        )
    except TooLarge:
        return None
    return _rows(blocks, question, asked, groups, after)


def _links(cursor: Cursor, question: Question) -> list[int] | None:
    """The numbers of the links that are asked for; None: of all."""
    if not question.where:
        return None
    key = view("link_key", ("link_id", *LINK_KEYS))
    select = sa.select(sa.func.array_agg(key.c.link_id)).where(
        *clauses(question.where, {name: key.c[name] for name in LINK_KEYS})
    )
    cursor.execute(*as_sql(select))
    ((links,),) = cursor.fetchall()
    return links or []


def _chosen(cursor: Cursor, blocks: Blocks, links: Sequence[int]) -> Flags:
    places = blocks.keys.places(cursor, np.array(links, np.int64))
    chosen = np.zeros(len(blocks.keys), np.bool_)
    chosen[places] = True
    return chosen


def _rows(
    blocks: Blocks, question: Question, asked: Statement, groups: Groups, after: Sequence[object] | None
) -> list[tuple[Any, ...]]:
    columns = {column.name: column_of(column.name, groups, blocks.keys, question, asked) for column in asked.columns}
    order = _total_order(question)
    keys: list[tuple[Sorted, object]] = []
    for place, each in enumerate(order):
        sort = columns[each.column].sorted(each.descending)
        value = after[place] if after is not None and place < len(after) else None
        keys.append((sort, value))
    found = np.lexsort([sort.keys for sort, _ in reversed(keys)])
    if after is not None:
        behind, same = np.zeros(len(found), np.bool_), np.ones(len(found), np.bool_)
        for sort, value in keys[: len(after)]:
            reference = sort.of(value)
            behind |= same & (sort.keys > reference)
            same &= sort.keys == reference
        found = found[behind[found]]
    if question.limit is not None:
        found = found[: question.limit + 1]
    return list(zip(*(columns[column.name].values(found) for column in asked.columns), strict=True))


def _total_order(question: Question) -> list[Order]:
    """What was asked for, then newest first, or most bytes first; ties by name: the order that SQL gives."""
    time = question.report.time
    first = [Order(time, True)] if time in question.by else [Order("bytes", True), Order("started", True)]
    return [*question.order, *first, *(Order(name, False) for name in question.by if name != time)]
