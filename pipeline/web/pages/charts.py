"""Stacked bars over time as numbers for an SVG: a bar covers its window, and the one that holds now is told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pipeline.stages.windows import WIDTHS_MS
from pipeline.units import moment, scaled
from pipeline.web.filters import DAY_MS, Span

WIDTH, HEIGHT = 960, 180
COLOURS = 8
"""Colours in the style sheet; further series share the last one, grey."""
_STEPS = (1, 2, 2.5, 5, 10)


class Bar(NamedTuple):
    """A rectangle in a picture of WIDTH times HEIGHT, with the text that tells its value."""

    x: float
    y: float
    width: float
    height: float
    colour: int
    unfinished: bool
    text: str


class Legend(NamedTuple):
    """A series: bytes a second in the last finished window, on average and at most; bytes in all."""

    name: str
    colour: int
    last: float
    mean: float
    largest: float
    total: int


@dataclass
class Chart:
    """``ticks`` are (place, label)."""

    bars: list[Bar]
    legend: list[Legend]
    y_ticks: list[tuple[float, str]]
    x_ticks: list[tuple[float, str]]
    windows: int


def throughput(rows: Sequence[dict[str, Any]], group: str, order: Sequence[str], span: Span, now_ms: int) -> Chart:
    """The throughput of rows of ``series``; ``order`` fixes places and colours whatever is filtered."""
    width_ms = WIDTHS_MS[span.width]
    names = sorted({str(row[group]) for row in rows}, key=lambda name: (_place(order, name), name))
    finished = max(1, (min(span.to_ms, now_ms) - span.from_ms) // width_ms)
    values: dict[int, dict[str, float]] = {}
    for row in rows:
        values.setdefault(_ms(row["window_start"]), {})[str(row[group])] = float(row["throughput"] or 0)
    top = _round_up(max((sum(each.values()) for each in values.values()), default=0))
    scale = WIDTH / span.length_ms
    bars = []
    for start, each in sorted(values.items()):
        until = min(start + width_ms, max(now_ms, start + 1))
        below = float(HEIGHT)
        for name in names:
            value = each.get(name, 0)
            if value:
                height = value / top * HEIGHT
                below -= height
                text = f"{name}: {scaled(value, 'B/s')} from {_at(start)} to {_at(until)}"
                bars.append(
                    Bar(
                        round((start - span.from_ms) * scale, 2),
                        round(below, 2),
                        round((until - start) * scale, 2),
                        round(height, 2),
                        min(_place(order, name), COLOURS - 1),
                        start + width_ms > now_ms,
                        text,
                    )
                )
    legend = []
    for name in names:
        own = {start: each[name] for start, each in values.items() if name in each and start + width_ms <= now_ms}
        total = sum(int(row["bytes_moved"]) for row in rows if str(row[group]) == name)
        newest = max((start for start in values if start + width_ms <= now_ms), default=0)
        colour = min(_place(order, name), COLOURS - 1)
        mean = sum(own.values()) / finished
        legend.append(Legend(name, colour, own.get(newest, 0), mean, max(own.values(), default=0), total))
    y_ticks = [(HEIGHT - HEIGHT * part / 4, scaled(top * part / 4, "B/s")) for part in range(5)]
    return Chart(bars, legend, y_ticks, _x_ticks(span), len(values))


def _x_ticks(span: Span) -> list[tuple[float, str]]:
    form = "%H:%M" if span.length_ms <= 2 * DAY_MS else "%m-%d"
    ticks = []
    for part in range(6):
        at = span.from_ms + span.length_ms * part // 6
        at -= at % WIDTHS_MS[span.width]
        ticks.append((round((at - span.from_ms) / span.length_ms * WIDTH, 2), _datetime(at).strftime(form)))
    return ticks


def _round_up(value: float) -> float:
    if value <= 0:
        return 1
    power: float = 10 ** (len(str(int(value))) - 1)
    return next(step * power for step in _STEPS if step * power >= value)


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


def _ms(value: datetime) -> int:
    return int(value.timestamp()) * 1000


def _datetime(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _at(ms: int) -> str:
    return moment(_datetime(ms // 1000 * 1000))
