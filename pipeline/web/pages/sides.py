"""The two sides of the matrix: countries, sites and hosts, groups opened in place, in an order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pipeline.web import asks
from pipeline.web.asks.pairs import UNKNOWN
from pipeline.web.pages.cells import Cell
from pipeline.web.problems import bad_parameter

Level = Literal["country", "site", "host"]
Order = Literal["name", "volume", "failed", "efficiency"]
Path = tuple[str, ...]
"""Names from the outermost group inward; () is the whole side."""

LEVELS: tuple[Level, ...] = ("country", "site", "host")
ALL: Path = ()

_FIRST: dict[Order, Callable[[Cell], float]] = {
    "name": lambda _: 0.0,
    "volume": lambda cell: -cell.bytes,
    "failed": lambda cell: -cell.failed,
    "efficiency": lambda cell: -cell.badness,
}
"""What orders sort by before the name; the worst efficiency comes first."""


class Head(NamedTuple):
    """One row or column: ``is_open`` shows what it consists of below it, None for what cannot be opened."""

    path: Path
    level: Level
    is_open: bool | None

    @property
    def name(self) -> str:
        """What is written."""
        return self.path[-1]

    @property
    def end(self) -> str:
        """The name as filters take it."""
        return f"{self.level}:{self.name}"

    @property
    def depth(self) -> int:
        """In how many open groups it stands."""
        return len(self.path) - 1


class Side(NamedTuple):
    """``param`` is src or dst; ``opened`` are the groups that are open, as filters.

    ``levels`` are those that are shown, ``columns`` what their groups are made of.
    """

    param: Literal["src", "dst"]
    levels: tuple[Level, ...]
    columns: tuple[str, ...]
    opened: frozenset[str]
    order: Order
    top: int

    def path(self, row: Mapping[str, Any]) -> Path:
        """Where a row stands: as deep as groups are open."""
        names: list[str] = []
        for level, column in zip(self.levels, self.columns, strict=True):
            names.append(str(row[column]))
            if f"{level}:{names[-1]}" not in self.opened:
                break
        return tuple(names)

    def heads(self, totals: Mapping[Path, Cell]) -> list[Head]:
        """Rows or columns in order, each group before its parts; the largest of each group, and what is unknown."""
        parts: dict[Path, list[Path]] = defaultdict(list)
        for path in totals:
            if path:
                parts[path[:-1]].append(path)
        return list(self._below(ALL, parts, totals))

    def _below(self, group: Path, parts: Mapping[Path, Sequence[Path]], totals: Mapping[Path, Cell]) -> Iterator[Head]:
        kept = asks.largest({path[-1]: totals[path].bytes for path in parts[group]}, self.top)
        rank = _FIRST[self.order]
        level = self.levels[len(group)]
        shown = (path for path in parts[group] if path[-1] in kept)
        for path in sorted(shown, key=lambda path: (path[-1] == UNKNOWN, rank(totals[path]), path[-1])):
            is_open = path in parts
            yield Head(path, level, None if level == LEVELS[-1] else is_open)
            if is_open:
                yield from self._below(path, parts, totals)


def side(param: Literal["src", "dst"], level: Level, opened: Sequence[str], order: Order, top: int) -> Side:
    """A side that begins at this level; raises Problem 400 for a group that cannot be meant."""
    for written in opened:
        kind, _, name = written.partition(":")
        if kind not in LEVELS[:-1] or not name:
            raise bad_parameter(f"open_{param}", f"{written!r} is no group: write country:NAME or site:NAME")
    depth = first = LEVELS.index(level)
    while any(written.startswith(f"{LEVELS[depth]}:") for written in opened):
        depth += 1
    levels = LEVELS[first : depth + 1]
    return Side(param, levels, tuple(f"{param}_{each}" for each in levels), frozenset(opened), order, top)
