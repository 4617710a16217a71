"""Stacked bars over time as numbers for an SVG: a bar covers its window, and the one that holds now is told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline.stages.windows import WIDTHS_MS
from pipeline.units import count, scaled
from pipeline.web.filters import Span
from pipeline.web.pages.axis import WIDE, Size, Tick, TimeAxis, from_datetime, round_up, round_up_count, told
from pipeline.web.pages.plotted import plotted

COLOURS = 8
"""Colours in the style sheet; further series share the last one, grey."""
OUTCOMES = ("ok", "failed", "aborted")

Written = Callable[[float], str]
Values = dict[int, dict[str, float]]
"""Start of a window (ms) -> series -> its value."""


class Bar(NamedTuple):
    """A rectangle, with the text that tells its value; ``colour`` is a class of the style sheet."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    unfinished: bool
    text: str


class Legend(NamedTuple):
    """A series: its value in the last finished window, on average over the finished ones, at most, and in all."""

    name: str
    colour: str
    last: float
    mean: float
    largest: float
    total: int


@dataclass
class Chart:
    """``unit`` tells what the values are: ``rate`` or ``count``. ``group`` is what a series is.

    ``data`` is for scripts.
    """

    size: Size
    group: str
    unit: str
    bars: list[Bar]
    legend: list[Legend]
    y_ticks: list[Tick]
    x_ticks: list[Tick]
    windows: int
    data: dict[str, Any]


def throughput(
    rows: Sequence[dict[str, Any]], group: str, order: Sequence[str], span: Span, now_ms: int, size: Size = WIDE
) -> Chart:
    """The throughput of rows of ``series``; ``order`` fixes places and colours whatever is filtered."""
    names = sorted({str(row[group]) for row in rows}, key=lambda name: (_place(order, name), name))
    values: Values = {}
    for row in rows:
        values.setdefault(from_datetime(row["window_start"]), {})[str(row[group])] = float(row["throughput"] or 0)
    series = {name: f"s{min(_place(order, name), COLOURS - 1)}" for name in names}
    totals = {name: sum(int(row["bytes_moved"]) for row in rows if str(row[group]) == name) for name in names}
    return _chart(values, series, totals, span, now_ms, size, group, "rate", lambda value: scaled(value, "B/s"))


def outcomes(rows: Iterable[dict[str, Any]], span: Span, now_ms: int, size: Size = WIDE) -> Chart:
    """How many transfers ended ok, failed and aborted, of rows of ``series`` of one technology."""
    values: Values = {}
    for row in rows:
        window = values.setdefault(from_datetime(row["window_start"]), dict.fromkeys(OUTCOMES, 0.0))
        for name in OUTCOMES:
            window[name] += row[name]
    totals = {name: int(sum(window[name] for window in values.values())) for name in OUTCOMES}
    series = {name: f"o-{name}" for name in OUTCOMES}
    return _chart(values, series, totals, span, now_ms, size, "outcome", "count", count)


def _chart(
    values: Values,
    series: Mapping[str, str],
    totals: Mapping[str, int],
    span: Span,
    now_ms: int,
    size: Size,
    group: str,
    unit: str,
    written: Written,
) -> Chart:
    width_ms = WIDTHS_MS[span.width]
    axis = TimeAxis.of(span, size)
    # The first seconds of a window say little of it: it may not squeeze the others, and is cut off at the top.
    sums = {start: sum(each.values()) for start, each in values.items()}
    over = [value for start, value in sums.items() if start + width_ms <= now_ms]
    end = round_up_count if unit == "count" else round_up
    top = end(max(over or sums.values(), default=0))
    bars = []
    for start, each in sorted(values.items()):
        until = min(start + width_ms, max(now_ms, start + 1))
        below = float(size.height)
        for name, colour in series.items():
            value = each.get(name, 0)
            if value:
                height = min(value / top * size.height, below)
                below -= height
                left = axis.place(start)
                text = f"{name}: {written(value)} from {told(start)} to {told(until)}"
                bars.append(
                    Bar(
                        *(left, round(below, 2), round(axis.place(until) - left, 2), round(height, 2)),
                        *(colour, start + width_ms > now_ms, text),
                    )
                )
    finished = max(1, (min(span.to_ms, now_ms) - span.from_ms) // width_ms)
    newest = max((start for start in values if start + width_ms <= now_ms), default=0)
    legend = []
    for name, colour in series.items():
        own = {start: each[name] for start, each in values.items() if name in each and start + width_ms <= now_ms}
        mean = sum(own.values()) / finished
        legend.append(Legend(name, colour, own.get(newest, 0), mean, max(own.values(), default=0), totals[name]))
    y_ticks = [Tick(size.height - size.height * part / 4, written(top * part / 4)) for part in range(5)]
    drawn = {name: {start: each[name] for start, each in values.items() if name in each} for name in series}
    data = plotted(unit, drawn, axis, width_ms, now_ms, top, stacked=True)
    return Chart(size, group, unit, bars, legend, y_ticks, axis.ticks(), len(values), data)


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)
