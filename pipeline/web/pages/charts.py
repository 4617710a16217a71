"""Stacked bars over time as numbers for an SVG: a bar covers its window, and the one that holds now is told apart."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline.stages.windows import WIDTHS_MS
from pipeline.units import count, duration, scaled
from pipeline.web.filters import DAY_MS, HOUR_MS, Span
from pipeline.web.pages import marks
from pipeline.web.pages.axis import WIDE, Size, Tick, TimeAxis, from_datetime, round_up, round_up_count, told
from pipeline.web.pages.plotted import plotted
from pipeline.web.pages.silence import NEVER, Silence

COLOURS = 8
"""Colours in the style sheet; further series share the last one, grey."""
OUTCOMES = ("ok", "failed", "aborted")

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
    """A series: its value in the last finished window, on average over the finished ones of which anything is known,
    at most, and in all (with the unfinished window); and whether it is left out of the picture."""

    name: str
    colour: str
    last: float
    mean: float
    largest: float
    total: int
    hidden: bool


@dataclass
class Chart:
    """``unit`` tells what the values are: ``rate`` or ``count``. ``group`` is what a series is.

    ``mean`` is that of what is shown, over ``over_ms``: the finished windows of which anything is known. ``data`` is
    for scripts.
    """

    size: Size
    group: str
    unit: str
    bars: list[Bar]
    legend: list[Legend]
    y_ticks: list[Tick]
    x_ticks: list[Tick]
    levels: list[marks.Level]
    gaps: list[marks.Band]
    mean: float
    over_ms: int
    target: float | None
    data: dict[str, Any]

    @property
    def about(self) -> str:
        """The mean in words, beside the target if there is one: 24 h mean 18.2 MB/s, 91 % of the target 20.0 MB/s."""
        if not self.over_ms:
            return "no finished bin has data"
        written = f"{_length(self.over_ms)} mean {_written(self.unit)(self.mean)}"
        if self.target:
            share = self.mean / self.target * 100
            written += f", {share:.{0 if share >= 10 else 1}f} % of the target {scaled(self.target, 'B/s')}"
        return written + (", of the series shown" if any(each.hidden for each in self.legend) else "")


@dataclass(frozen=True)
class Stack:
    """What is drawn: values, the class of each series in the order of the stack, the sum of each over the range."""

    values: Values
    series: Mapping[str, str]
    totals: Mapping[str, int]
    group: str
    unit: str
    target: float | None = None


def throughput(
    rows: Sequence[dict[str, Any]],
    group: str,
    order: Sequence[str],
    span: Span,
    now_ms: int,
    size: Size = WIDE,
    *,
    silence: Silence = NEVER,
    hidden: Collection[str] = (),
    target: float | None = None,
) -> Chart:
    """The throughput of rows of ``series`` with its mean; ``order`` fixes places and colours whatever is filtered.

    Series that are ``hidden`` keep their rows of the legend; ``target`` (B/s) is drawn beside the mean.
    """
    names = sorted({str(row[group]) for row in rows}, key=lambda name: (_place(order, name), name))
    values: Values = {}
    for row in rows:
        values.setdefault(from_datetime(row["window_start"]), {})[str(row[group])] = float(row["throughput"] or 0)
    series = {name: f"s{min(_place(order, name), COLOURS - 1)}" for name in names}
    totals = {name: sum(int(row["bytes_moved"]) for row in rows if str(row[group]) == name) for name in names}
    return _chart(Stack(values, series, totals, group, "rate", target), span, now_ms, size, silence, hidden)


def outcomes(
    rows: Iterable[dict[str, Any]],
    span: Span,
    now_ms: int,
    size: Size = WIDE,
    *,
    silence: Silence = NEVER,
    hidden: Collection[str] = (),
) -> Chart:
    """How many transfers ended ok, failed and aborted, of rows of ``series`` of one technology."""
    values: Values = {}
    for row in rows:
        window = values.setdefault(from_datetime(row["window_start"]), dict.fromkeys(OUTCOMES, 0.0))
        for name in OUTCOMES:
            window[name] += row[name]
    totals = {name: int(sum(window[name] for window in values.values())) for name in OUTCOMES}
    series = {name: f"o-{name}" for name in OUTCOMES}
    return _chart(Stack(values, series, totals, "outcome", "count"), span, now_ms, size, silence, hidden)


def _chart(stack: Stack, span: Span, now_ms: int, size: Size, silence: Silence, hidden: Collection[str]) -> Chart:
    step_ms = WIDTHS_MS[span.width]
    axis = TimeAxis.of(span, size)
    written = _written(stack.unit)
    finished = {
        start: {name: value for name, value in stack.values.get(start, {}).items() if name not in hidden}
        for start in range(span.from_ms, min(span.to_ms, now_ms) - step_ms + 1, step_ms)
        if start in stack.values or not silence.hides(start, start + step_ms)
    }
    over_ms = len(finished) * step_ms
    mean = sum(sum(each.values()) for each in finished.values()) / max(1, len(finished))
    across = {"mean": mean} if stack.unit == "rate" and over_ms else {}
    if stack.target:
        across["target"] = stack.target
    # The first seconds of a window say little of it: it may not squeeze the others, and is cut off at the top.
    shown = [sum(value for name, value in each.items() if name not in hidden) for each in stack.values.values()]
    highest = max((sum(each.values()) for each in finished.values()), default=0) or max(shown, default=0)
    end = round_up_count if stack.unit == "count" else round_up
    top = end(max(highest, stack.target or 0))

    def height(value: float) -> float:
        return round(size.height - min(value, top) / top * size.height, 2)

    drawn = {name: {start: each[name] for start, each in stack.values.items() if name in each} for name in stack.series}
    return Chart(
        size,
        stack.group,
        stack.unit,
        list(_bars(stack, hidden, axis, size, step_ms, now_ms, top)),
        list(_legend(stack, drawn, hidden, list(finished))),
        [Tick(size.height - size.height * part / 4, written(top * part / 4)) for part in range(5)],
        axis.ticks(),
        marks.levels(across, height, written),
        marks.gaps(silence, span, axis),
        mean,
        over_ms,
        stack.target,
        plotted(
            *(stack.unit, drawn, axis, step_ms, now_ms, top),
            stacked=True,
            across=across,
            silence=silence,
            hidden=hidden,
        ),
    )


def _bars(
    stack: Stack, hidden: Collection[str], axis: TimeAxis, size: Size, step_ms: int, now_ms: int, top: float
) -> Iterable[Bar]:
    written = _written(stack.unit)
    for start, each in sorted(stack.values.items()):
        until = min(start + step_ms, max(now_ms, start + 1))
        below = float(size.height)
        for name, colour in stack.series.items():
            value = 0 if name in hidden else each.get(name, 0)
            if value:
                height = min(value / top * size.height, below)
                below -= height
                left = axis.place(start)
                text = f"{name}: {written(value)} from {told(start)} to {told(until)}"
                yield Bar(
                    *(left, round(below, 2), round(axis.place(until) - left, 2), round(height, 2)),
                    *(colour, start + step_ms > now_ms, text),
                )


def _legend(
    stack: Stack, drawn: Mapping[str, Mapping[int, float]], hidden: Collection[str], finished: Sequence[int]
) -> Iterable[Legend]:
    for name, colour in stack.series.items():
        own = [drawn[name].get(start, 0) for start in finished] or [0]
        yield Legend(name, colour, own[-1], sum(own) / len(own), max(own), stack.totals[name], name in hidden)


def _written(unit: str) -> Callable[[float], str]:
    return count if unit == "count" else lambda value: scaled(value, "B/s")


def _length(ms: int) -> str:
    """24 h, 7 d; what is no whole number of hours as any other duration."""
    if ms % HOUR_MS:
        return duration(ms)
    return f"{ms // DAY_MS} d" if ms % DAY_MS == 0 and ms > 2 * DAY_MS else f"{ms // HOUR_MS} h"


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)
