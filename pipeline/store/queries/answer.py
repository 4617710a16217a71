"""Asks Postgres a question and gives the rows as they come, with their columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import connection as Connection
from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

from pipeline.store.queries.columns import Column
from pipeline.store.queries.question import Question
from pipeline.store.queries.rows import rows_statement
from pipeline.store.queries.statement import Statement
from pipeline.store.queries.windows import windows_statement

_DIALECT: Dialect = PGDialect_psycopg2()  # type: ignore[no-untyped-call]


@dataclass
class Answer:
    """The rows of a question, read from Postgres while they are iterated, once.

    ``from_ms`` and ``to_ms`` are the range after rounding. ``has_more`` tells, after the last row, whether the limit
    kept some back.
    """

    columns: tuple[Column, ...]
    from_ms: int | None
    to_ms: int | None
    rows: Iterator[Sequence[Any]]
    has_more: bool = False


def statement(question: Question) -> Statement:
    """The question as SQL."""
    return windows_statement(question) if question.report.windows else rows_statement(question)


def answer(connection: Connection, question: Question) -> Answer:
    """Starts the question in a transaction of ``connection``; its rows raise psycopg2's errors."""
    asked = statement(question)
    select = asked.select if question.limit is None else asked.select.limit(question.limit + 1)
    compiled = select.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    found = Answer(asked.columns, asked.from_ms, asked.to_ms, iter(()))
    found.rows = _rows(connection, str(compiled), compiled.params, question.limit, found)
    return found


def _rows(
    connection: Connection, sql: str, parameters: Any, limit: int | None, found: Answer
) -> Iterator[Sequence[Any]]:
    # A named cursor stays on the server: an export of millions of rows is not held in memory.
    with connection, connection.cursor(name="answer") as cursor:
        cursor.itersize = 2000
        cursor.execute(sql, parameters)
        for number, row in enumerate(cursor):
            if number == limit:
                found.has_more = True
                return
            yield row
