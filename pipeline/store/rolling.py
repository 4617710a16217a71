"""Windows of ten minutes rolled up to hours and days, as rows of a temporary table that feeds all three widths.

Most links have one window in a batch, whose values are those of its hour and of its day, too: such a row is written and
read once, with a start for each width. A start that is NULL says that the row is not of that width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.copying import moment_or_null

STARTS = tuple(f"start_{width}" for width in WIDTHS_MS)
"""The columns of such a table that say where a row belongs."""
STARTS_NULL = ", ".join(f"NULL::timestamptz AS {name}" for name in STARTS)

_WIDTHS = tuple(WIDTHS_MS.values())

Values = TypeVar("Values")


def rolled(
    windows: Mapping[int, Values], merge: Callable[[Values, Values], Values]
) -> Iterator[tuple[tuple[int | None, ...], Values]]:
    """Base windows by their start in ms -> the values of windows of all widths, each with its start in each width of
    which it is a window."""
    for place in range(len(_WIDTHS)):
        if place:
            windows = _merged(windows, _WIDTHS[place], merge)
        if len(windows) == 1:
            ((start, values),) = windows.items()
            yield (None,) * place + tuple(start - start % width for width in _WIDTHS[place:]), values
            return
        after = (None,) * (len(_WIDTHS) - 1 - place)
        for start, values in windows.items():
            yield ((None,) * place + (start, *after)), values


def _merged(windows: Mapping[int, Values], width: int, merge: Callable[[Values, Values], Values]) -> dict[int, Values]:
    wide: dict[int, Values] = {}
    for start, values in windows.items():
        begin = start - start % width
        known = wide.get(begin)
        wide[begin] = values if known is None else merge(known, values)
    return wide


class StartTexts(dict[tuple[int | None, ...], str]):
    """Starts as COPY reads them; a batch has many rows of few windows."""

    def __missing__(self, starts: tuple[int | None, ...]) -> str:
        text = self[starts] = "\t".join([moment_or_null(start) for start in starts])
        return text
