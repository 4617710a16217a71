"""What pictures over time have beside their values: times that are not whole, and levels drawn across."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pipeline.web.filters import Span
from pipeline.web.pages.axis import TimeAxis, told
from pipeline.web.pages.silence import Silence


class Band(NamedTuple):
    """A time from top to bottom of a picture, and what is the matter with it."""

    x: float
    width: float
    text: str


class Level(NamedTuple):
    """A line across: its name, the height where it stands, its value in words."""

    name: str
    place: float
    label: str


def gaps(silence: Silence, span: Span, axis: TimeAxis) -> list[Band]:
    """Times in which nothing was received."""
    found = []
    for begin, end in silence.times:
        if begin < span.to_ms and span.from_ms < end:
            left = axis.place(max(begin, span.from_ms))
            width = round(axis.place(min(end, span.to_ms)) - left, 2)
            found.append(Band(left, width, f"no data received from {told(begin)} to {told(end)}"))
    return found


def unfinished(span: Span, axis: TimeAxis, step_ms: int, now_ms: int) -> Band | None:
    """The part of the window that holds now which has passed; None when the range has no such window."""
    start = now_ms - now_ms % step_ms
    if not span.from_ms <= start < span.to_ms:
        return None
    left = axis.place(start)
    width = round(axis.place(max(now_ms, start + 1)) - left, 2)
    return Band(left, width, f"not over yet: from {told(start)} to {told(now_ms)}, so far")


def levels(
    values: Mapping[str, float], height: Callable[[float], float], written: Callable[[float], str]
) -> list[Level]:
    """Values as lines across."""
    return [Level(name, height(value), written(value)) for name, value in values.items()]
