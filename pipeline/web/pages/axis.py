"""Axes of pictures: where an instant stands, which round instants are named, where an amount's axis ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from pipeline.units import moment
from pipeline.web.filters import DAY_MS, HOUR_MS, Span

_STEPS_MS = (
    *(minutes * 60_000 for minutes in (10, 30)),
    *(hours * HOUR_MS for hours in (1, 2, 3, 4, 6, 12)),
    *(days * DAY_MS for days in (1, 2, 5, 10, 30, 100, 365)),
)
_AMOUNTS = (1, 2, 2.5, 5, 10)
_COUNTS = (4, 8, 12, 20)
_PLACE_PER_TICK = 80


class Size(NamedTuple):
    """A picture's size in its own units, about one to a pixel of the screen that it is made for."""

    width: int
    height: int


WIDE = Size(960, 180)
NARROW = Size(480, 140)


class Tick(NamedTuple):
    """A mark on an axis."""

    place: float
    label: str


@dataclass(frozen=True)
class TimeAxis:
    """A range over a width."""

    from_ms: int
    to_ms: int
    width: int

    @classmethod
    def of(cls, span: Span, size: Size) -> TimeAxis:
        """The axis of a range."""
        return cls(span.from_ms, span.to_ms, size.width)

    def place(self, at_ms: float) -> float:
        """Where an instant stands."""
        return round((at_ms - self.from_ms) / (self.to_ms - self.from_ms) * self.width, 2)

    def instants(self) -> list[tuple[int, str]]:
        """Round instants in ms, few enough for their names to have room; midnight is named by its day."""
        most = max(2, self.width // _PLACE_PER_TICK)
        length_ms = self.to_ms - self.from_ms
        step = next((step for step in _STEPS_MS if length_ms / step <= most), _STEPS_MS[-1])
        return [(at, _named(at, step)) for at in _round_instants(self.from_ms, self.to_ms, step)]

    def ticks(self) -> list[Tick]:
        """The same as marks."""
        return [Tick(self.place(at), name) for at, name in self.instants()]


def round_up(value: float) -> float:
    """The least round amount that is not below; 1 for nothing."""
    if value <= 0:
        return 1
    power: float = 10 ** (len(str(int(value))) - 1)
    return next(step * power for step in _AMOUNTS if step * power >= value)


def round_up_count(value: float) -> float:
    """The least round number that is not below and whose quarters are whole; 4 for nothing."""
    power = 1
    while True:
        for step in _COUNTS:
            if step * power >= value:
                return step * power
        power *= 10


def from_datetime(value: datetime) -> int:
    """Its ms since the epoch, in whole seconds."""
    return int(value.timestamp()) * 1000


def told(at_ms: int) -> str:
    """An instant for people."""
    return moment(datetime.fromtimestamp(at_ms // 1000, UTC))


def _round_instants(from_ms: int, to_ms: int, step: int) -> Iterator[int]:
    at = -(-from_ms // step) * step
    while at < to_ms:
        yield at
        at += step


def _named(at_ms: int, step: int) -> str:
    by_day = step >= DAY_MS or at_ms % DAY_MS == 0
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%m-%d" if by_day else "%H:%M")
