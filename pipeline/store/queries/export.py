"""Windows of a range as they are, for files: rows and revision out of one look at the store."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg2.extensions import connection as Connection

from pipeline.store.queries.answer import statement
from pipeline.store.queries.columns import Column
from pipeline.store.queries.errors import BadQuery
from pipeline.store.queries.question import Order, Question
from pipeline.store.queries.revision import Revision, revision_of
from pipeline.store.queries.statement import as_sql

ROWS_AT_ONCE = 2000


@dataclass(frozen=True)
class Export:
    """``rows`` are read while they are iterated, once, oldest window first; close them before the connection.

    ``from_ms`` and ``to_ms`` are the range after rounding, ``revision`` that of the link windows in it.
    """

    columns: tuple[Column, ...]
    from_ms: int
    to_ms: int
    revision: Revision
    rows: Generator[Sequence[Any], None, None]


def export(connection: Connection, question: Question) -> Export:
    """Starts the question in a transaction of its own; however many rows there are, few are held.

    Of stages there are counts and means, no quantiles: those need a histogram of every row. Raises BadQuery for a
    report without windows, one that is grouped, or a range that is open; rows raise psycopg2's errors.
    """
    report = question.report
    if not report.windows or report.compares or question.by:
        raise BadQuery(f"{report.name} are no windows to export")
    asked = statement(replace(question, order=(Order(report.time, descending=False),)))
    if asked.from_ms is None or asked.to_ms is None:
        raise BadQuery("an export needs a range: say from when to when")
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        found = revision_of(cursor, question.width, asked.from_ms, asked.to_ms)

    def rows() -> Generator[Sequence[Any], None, None]:
        try:
            with connection.cursor(name="export") as cursor:
                cursor.itersize = ROWS_AT_ONCE
                cursor.execute(*as_sql(asked.select))
                yield from cursor
        finally:
            connection.rollback()

    return Export(asked.columns, asked.from_ms, asked.to_ms, found, rows())
