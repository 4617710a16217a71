"""An answer ready to be written: columns, rows, and what is known about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.store.queries.columns import Column
from pipeline.web.filters import Span


@dataclass
class Table:
    """``meta`` holds what JSON also says; ``next_cursor`` is None on the last page."""

    columns: tuple[Column, ...]
    rows: list[Sequence[Any]]
    span: Span | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    next_cursor: str | None = None

    def records(self) -> Iterator[dict[str, Any]]:
        """The rows by column name."""
        names = [column.name for column in self.columns]
        for row in self.rows:
            yield dict(zip(names, row, strict=True))

    def place(self, name: str) -> int:
        """Where the values of a column stand in a row."""
        return [column.name for column in self.columns].index(name)

    def only(self, names: Iterable[str]) -> Table:
        """The same with these columns alone, in the order in which they stand."""
        wanted = set(names)
        return self.without(*(column.name for column in self.columns if column.name not in wanted))

    def without(self, *names: str) -> Table:
        """The same without these columns."""
        kept = [place for place, column in enumerate(self.columns) if column.name not in names]
        rows: list[Sequence[Any]] = [[row[place] for place in kept] for row in self.rows]
        return Table(tuple(self.columns[place] for place in kept), rows, self.span, self.meta, self.next_cursor)
