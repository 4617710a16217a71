"""A database as a test looks at it: statements at once, rows back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.store.session import connect


class Database:
    """A connection of a test's own, in autocommit."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = connect(url, "test")
        self._connection.autocommit = True

    def ask(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement; none when it gives none."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """The one value that a statement gives."""
        ((value,),) = self.ask(statement, values)
        return value

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()
