"""Window deltas -> rows, rolled up from ten minutes to hours and days, and the statement that adds them."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg2.extensions import cursor as Cursor

from pipeline.stages.windows import COUNTERS, WIDTHS_MS, Delta, Deltas, LinkKey
from pipeline.store.copying import copy_rows, moment
from pipeline.store.rolling import STARTS, STARTS_NULL, StartTexts, rolled
from schemas.events import STAGES

_SUMS = (*COUNTERS, *(f"{stage}_{part}" for stage in STAGES for part in ("count", "sum")))
_EXTREMES = tuple(
    (f"{stage}_{part}", f"{word}") for stage in STAGES for part, word in (("min", "LEAST"), ("max", "GREATEST"))
)
_MEASURES = (*COUNTERS, *(f"{stage}_{part}" for stage in STAGES for part in ("count", "sum", "min", "max")))
_VALUES = ", ".join(("link_id", *_MEASURES))
_NO_STAGES: list[int | None] = [0, 0, None, None] * len(STAGES)
_FIRST_STAGE = len(COUNTERS)

TEMPORARY = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS window_delta ON COMMIT DELETE ROWS
AS SELECT {STARTS_NULL}, {_VALUES} FROM store.link_10m LIMIT 0
"""


Histogram = tuple[int, int, dict[int, int]]
"""Window start in ms, link number, counts by code (stage * BINS_PER_MEASURE + bin), rising."""


def _add_statement(width: str) -> str:
    changes = [f"{name} = w.{name} + excluded.{name}" for name in _SUMS]
    changes += [f"{name} = {word}(w.{name}, excluded.{name})" for name, word in _EXTREMES]
    return f"""
    INSERT INTO store.link_{width} AS w (window_start, {_VALUES})
    SELECT start_{width}, {_VALUES} FROM window_delta WHERE start_{width} IS NOT NULL ORDER BY start_{width}, link_id
    ON CONFLICT (window_start, link_id) DO UPDATE SET {", ".join(changes)}, updated_at = statement_timestamp()
    """


_ADD = tuple(_add_statement(width) for width in WIDTHS_MS)


def add_histograms(cursor: Cursor, histograms: Iterable[Histogram]) -> None:
    """Append what a batch adds to the histograms of base windows."""
    rows: list[tuple[int, int, str]] = []
    for start, number, counts in histograms:
        if counts:
            codes, numbers = ",".join(map(str, counts)), ",".join(map(str, counts.values()))
            rows.append((start, number, f"{{{codes}}}\t{{{numbers}}}"))
    copy_rows(
        cursor,
        "store.link_hist",
        "window_start, link_id, codes, counts",
        (f"{moment(start)}\t{number}\t{arrays}" for start, number, arrays in sorted(rows)),
    )


def add_windows(cursor: Cursor, deltas: Deltas, links: dict[LinkKey, int]) -> None:
    """Add a batch's deltas to the windows of all widths, and its histograms to those of the base windows."""
    rows: list[str] = []
    histograms: list[Histogram] = []
    texts = StartTexts()
    for link, windows in deltas.items():
        number = links[link]
        for starts, values in rolled({start: _flat(delta) for start, delta in windows.items()}, _merged):
            text = "\t".join(["\\N" if value is None else str(value) for value in values])
            rows.append(f"{texts[starts]}\t{number}\t{text}")
        for start, delta in windows.items():
            histograms.append((start, number, delta.histogram()))
    add_histograms(cursor, histograms)
    copy_rows(cursor, "window_delta", f"{', '.join(STARTS)}, {_VALUES}", rows)
    for statement in _ADD:
        cursor.execute(statement)


def _flat(delta: Delta) -> list[int | None]:
    """The values of a delta in the order of _MEASURES."""
    values: list[int | None] = [*delta.counters]
    if delta.stages is None:
        return values + _NO_STAGES
    for stage in delta.stages:
        if stage:
            values += (len(stage), sum(stage), min(stage), max(stage))
        else:
            values += (0, 0, None, None)
    return values


def _merged(a: list[int | None], b: list[int | None]) -> list[int | None]:
    merged: list[int | None] = []
    for position, (x, y) in enumerate(zip(a, b, strict=True)):
        part = (position - _FIRST_STAGE) % 4 if position >= _FIRST_STAGE else 0
        if x is None or y is None:
            merged.append(y if x is None else x)
        elif part < 2:
            merged.append(x + y)
        else:
            merged.append(min(x, y) if part == 2 else max(x, y))
    return merged
