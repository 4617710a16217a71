"""What the groups of a question did window by window: the same question once more, told apart by windows."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, NamedTuple

from pipeline.cli.spark import BLOCKS, sparkline
from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.answer import answer, columns_of
from pipeline.store.queries.columns import NUMBERS, Column
from pipeline.store.queries.errors import BadQuery
from pipeline.store.queries.instants import ceil_ms, floor_ms
from pipeline.store.queries.question import Question
from pipeline.store.session import Connection

LEAST_WINDOWS, MOST_WINDOWS = 24, 60
"""How many are drawn at most: on a narrow terminal a day of hours, however narrow it is."""
Group = tuple[Hashable, ...]


class Trend(NamedTuple):
    """One measure of the groups of ``question``, in the last ``most`` windows of ``width``."""

    question: Question
    column: Column
    width: str
    most: int

    @property
    def header(self) -> Column:
        """The column that holds the sparklines."""
        return Column(f"{self.column.name} per {self.width}", "text")

    def lines(self, connection: Connection, groups: Sequence[Group], heights: str = BLOCKS) -> list[str]:
        """A sparkline for each group, all over the same windows: the last of the range. Raises psycopg2's errors.

        ``groups`` are values of ``question.by``. A ratio is drawn from 0 to 1, all else up to the group's largest.
        """
        wanted = set(groups)
        found: dict[Group, dict[int, float]] = {}
        series = answer(connection, self.question)
        names = [column.name for column in series.columns]
        keys = [names.index(name) for name in self.question.by[1:]]
        window, measure = names.index(self.question.by[0]), names.index(self.column.name)
        with closing(series.rows):
            for row in series.rows:
                group = tuple(row[key] for key in keys)
                if group in wanted and row[measure] is not None:
                    found.setdefault(group, {})[_ms(row[window])] = float(row[measure])
        windows = self._windows(series.from_ms, series.to_ms, {at for drawn in found.values() for at in drawn})
        top = 1.0 if self.column.kind == "ratio" else None
        return [sparkline([found.get(group, {}).get(at) for at in windows], top, heights) for group in groups]

    def _windows(self, from_ms: int | None, to_ms: int | None, found: set[int]) -> range:
        """The last windows of the range; one that is left open ends at the present or with what was found."""
        width_ms = WIDTHS_MS[self.width]
        if to_ms is None:
            to_ms = max(found, default=0) + width_ms if from_ms is None else ceil_ms(self.question.now_ms, width_ms)
        if from_ms is None:
            from_ms = min(found, default=to_ms)
        return range(max(from_ms, to_ms - self.most * width_ms), to_ms, width_ms)


def trend_of(question: Question, measure: str, width: str | None, room: int = MOST_WINDOWS) -> Trend:
    """The trend of a column of the question's answer; ``width`` None is the narrowest of which all windows fit.

    ``room`` is how many characters there are for a line. Raises BadQuery when the groups have no windows, or the column
    is no number.
    """
    report = question.report
    if report.compares or not (report.windows or report.time in report.keys):
        raise BadQuery(f"{report.name} have no windows to draw: leave --spark out")
    if not question.by or report.time in question.by:
        raise BadQuery(f"--spark draws the windows of a group: add --by, without {report.time}")
    numbers = {column.name: column for column in columns_of(question) if column.kind in NUMBERS}
    if measure not in numbers:
        raise BadQuery(f"the answer has no number {measure!r} to draw: known are {', '.join(numbers)}")
    most = min(max(room, LEAST_WINDOWS), MOST_WINDOWS)
    width = (width or _fitting(question, most)) if report.windows else "10m"
    width_ms = WIDTHS_MS[width]
    from_ms = question.from_ms
    if from_ms is not None:
        end_ms = ceil_ms(question.now_ms if question.to_ms is None else question.to_ms, width_ms)
        from_ms = max(floor_ms(from_ms, width_ms), end_ms - most * width_ms)
    windows = replace(
        question,
        by=(report.time, *question.by),
        width=width,
        from_ms=from_ms,
        # Conditions on measures choose among the groups, by their sums; of a chosen one every window is drawn.
        where=tuple(c for c in question.where if report.counts or c.column in (report.time, *report.keys)),
        order=(),
        limit=None,
        stages=measure not in {column.name for column in columns_of(replace(question, stages=False))},
    )
    return Trend(windows, numbers[measure], width, most)


def _fitting(question: Question, most: int) -> str:
    if question.from_ms is None:
        return "1d"
    range_ms = (question.now_ms if question.to_ms is None else question.to_ms) - question.from_ms
    fitting = (width for width, width_ms in WIDTHS_MS.items() if range_ms <= most * width_ms)
    return next(fitting, "1d")


def _ms(window: Any) -> int:
    return int(window.timestamp()) * 1000
