"""Asks Postgres a question and gives the rows as they come, with their columns."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import connection as Connection

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.columnar.answers import answered
from pipeline.store.columnar.blocks import Blocks
from pipeline.store.queries import quantiles
from pipeline.store.queries.backlog import backlog_statement
from pipeline.store.queries.coarsest import held
from pipeline.store.queries.columns import Column
from pipeline.store.queries.hosts import hosts_statement
from pipeline.store.queries.paging import page_of
from pipeline.store.queries.question import Order, Question
from pipeline.store.queries.queues import queues_statement
from pipeline.store.queries.reports import BACKLOG, HOSTS, QUEUES, STATES, VO_PAIRS
from pipeline.store.queries.rows import rows_statement
from pipeline.store.queries.statement import Statement, as_sql
from pipeline.store.queries.states import states_statement
from pipeline.store.queries.vo_pairs import vo_pairs_statement
from pipeline.store.queries.vos import vos_statement
from pipeline.store.queries.windows import windows_statement

_OWN: dict[str, Callable[[Question], Statement]] = {
    QUEUES.name: queues_statement,
    STATES.name: states_statement,
    VO_PAIRS.name: vo_pairs_statement,
    HOSTS.name: hosts_statement,
    BACKLOG.name: backlog_statement,
}
"""Reports whose statement is theirs alone."""

Rows = Generator[Sequence[Any], None, None]


@dataclass
class Answer:
    """The rows of a question, read from Postgres while they are iterated, once; close them before the connection.

    ``from_ms`` and ``to_ms`` are the range after rounding. ``has_more`` tells, after the last row, whether the limit
    kept some back.
    """

    columns: tuple[Column, ...]
    from_ms: int | None
    to_ms: int | None
    rows: Rows = field(init=False)
    has_more: bool = False


def statement(question: Question) -> Statement:
    """The question as SQL, but for the quantiles of stages."""
    own = _OWN.get(question.report.name)
    if own is not None:
        return own(question)
    if question.report.sides:
        return vos_statement(question)
    return windows_statement(question) if question.report.windows else rows_statement(question)


def columns_of(question: Question) -> tuple[Column, ...]:
    """The columns of the answer; the quantiles of a stage follow its mean."""
    columns = statement(question).columns
    if not question.stages:
        return columns
    read_off = {f"{stage}_mean": quantiles.columns(stage, question.quantiles) for stage in question.report.stages}
    return tuple(each for column in columns for each in (column, *read_off.get(column.name, ())))


def answer(connection: Connection, question: Question, blocks: Blocks | None = None) -> Answer:
    """Starts the question in a transaction of ``connection``; its rows raise psycopg2's errors.

    ``blocks`` hold windows for the next question; without them Postgres adds up, with the same values.
    """
    question = _held(connection, question)
    asked = statement(question)
    found = Answer(columns_of(question), asked.from_ms, asked.to_ms)
    added = None if blocks is None else answered(connection, blocks, question, asked)
    if added is not None:
        found.rows = _limited(added, question, found)
        return found
    find = _with_quantiles if question.stages else _rows
    found.rows = find(connection, question, asked, found)
    return found


def page(
    connection: Connection, question: Question, after: Sequence[object] | None, blocks: Blocks | None = None
) -> Answer:
    """One page of a question without stages: the rows behind the one with these values of ``question.order``.

    ``question.order`` must tell all rows apart. Rows raise psycopg2's errors. ``blocks`` as for ``answer``.
    """
    question = _held(connection, question)
    asked = statement(question)
    found = Answer(asked.columns, asked.from_ms, asked.to_ms)
    added = None if blocks is None else answered(connection, blocks, question, asked, after)
    if added is not None:
        found.rows = _limited(added, question, found)
        return found
    names = searched(question) if question.search else ()
    whole = Statement(
        page_of(asked, question.order, after, question.search, names), asked.columns, asked.from_ms, asked.to_ms
    )
    found.rows = _rows(connection, question, whole, found)
    return found


def _held(connection: Connection, question: Question) -> Question:
    """The question with what it has to know of final windows, if it adds windows up."""
    return replace(question, held_ms=held(connection)) if question.report.windows and question.by else question


def searched(question: Question) -> tuple[str, ...]:
    """The columns in which ``search`` looks: names that tell rows apart, but never the technology."""
    texts = {column.name for column in question.report.columns if column.kind == "text"}
    return tuple(name for name in question.by or question.report.keys if name in texts - {"technology"})


def count(connection: Connection, question: Question) -> int:
    """How many rows the question has, whatever its limit."""
    rows = statement(question).select.order_by(None).subquery("rows")
    with connection, connection.cursor() as cursor:
        cursor.execute(*as_sql(sa.select(sa.func.count()).select_from(rows)))
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _rows(connection: Connection, question: Question, asked: Statement, found: Answer) -> Rows:
    select = asked.select if question.limit is None else asked.select.limit(question.limit + 1)
    with connection, _cursor(connection, question) as cursor:
        cursor.itersize = 2000
        cursor.execute(*as_sql(select))
        for number, row in enumerate(cursor):
            if number == question.limit:
                found.has_more = True
                return
            yield row


def _limited(rows: Sequence[Sequence[Any]], question: Question, found: Answer) -> Rows:
    """The rows of a question that were added up already, with one more than its limit if there are more."""
    yield from rows[: question.limit]
    found.has_more = question.limit is not None and len(rows) > question.limit


def _cursor(connection: Connection, question: Question) -> Any:
    """A named cursor stays on the server: an export of millions of rows is not held in memory.

    Postgres makes other plans for it, for its first rows and never parallel: what has a limit does without.
    """
    return connection.cursor(name="answer") if question.limit is None else connection.cursor()


def _with_quantiles(connection: Connection, question: Question, asked: Statement, found: Answer) -> Rows:
    """Rows and histograms in one snapshot. To sort by a quantile, all rows have to be there first."""
    stages, shares = question.report.stages, question.quantiles
    read_off = [column.name for stage in stages for column in quantiles.columns(stage, shares)]
    sorted_here = any(order.column in read_off for order in question.order)
    select = asked.select if question.limit is None or sorted_here else asked.select.limit(question.limit + 1)
    with connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute(*as_sql(select))
        plain = cursor.fetchall()
        cursor.execute(*as_sql(quantiles.bins_statement(question, *_range(question, asked, plain))))
        histograms = quantiles.Histograms(question, cursor)
    names = [*(column.name for column in asked.columns), *read_off]
    places = [names.index(column.name) for column in found.columns]
    groups = len(quantiles.groups_of(question))
    rows = [(*row, *histograms.quantiles(row[:groups])) for row in plain]
    if sorted_here:
        for order in reversed(question.order):
            _sort(rows, names.index(order.column), order)
    found.has_more = question.limit is not None and len(rows) > question.limit
    for row in rows[: question.limit]:
        yield [row[place] for place in places]


def _range(question: Question, asked: Statement, rows: Sequence[Sequence[Any]]) -> tuple[int | None, int | None]:
    """The time of the rows: for single windows that of those which the limit left."""
    if question.by or not rows:
        return asked.from_ms, asked.to_ms
    starts = [int(row[0].timestamp()) * 1000 for row in rows]
    return min(starts), max(starts) + WIDTHS_MS[question.width]


def _sort(rows: list[tuple[Any, ...]], place: int, order: Order) -> None:
    rows.sort(key=lambda row: (row[place] is not None, row[place] or 0), reverse=order.descending)
    if not order.descending:
        rows.sort(key=lambda row: row[place] is None)
