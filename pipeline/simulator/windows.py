"""What one thing that happened adds to which windows, whoever told of it: rules of the windows, and nothing of parsers,
stages or tables, so that they can judge these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from pipeline.simulator.script import FAILED, NEVER, OK, Span

WIDTHS_MS = {"10m": 600_000, "1h": 3_600_000, "1d": 86_400_000}
BASE_MS = WIDTHS_MS["10m"]
WEEK_MS = 7 * 86_400_000
CLOCK_TOLERANCE_MS = 60_000


class WindowKey(NamedTuple):
    """A link's window: where it begins (ms since the epoch), who moved the data for whom, and between which hosts."""

    start_ms: int
    technology: str
    fts: str
    vo: str
    channel: str
    src_host: str
    dst_host: str


class EndpointKey(NamedTuple):
    """A window of what was moved from one VO endpoint to another."""

    start_ms: int
    technology: str
    fts: str
    vo: str
    src_endpoint: str
    dst_endpoint: str


class ActivityKey(NamedTuple):
    """A window of what an activity moved."""

    start_ms: int
    technology: str
    fts: str
    vo: str
    activity: str


K = TypeVar("K", WindowKey, EndpointKey, ActivityKey)


@dataclass(slots=True)
class Measure:
    """Count, sum, smallest and largest of one measure: ms, for throughput bytes/s."""

    count: int = 0
    sum: int = 0
    min: int | None = None
    max: int | None = None

    def add(self, other: Measure) -> None:
        """Take another's values in."""
        if other.min is None or other.max is None:
            return
        self.count += other.count
        self.sum += other.sum
        self.min = other.min if self.min is None else min(self.min, other.min)
        self.max = other.max if self.max is None else max(self.max, other.max)

    def observe(self, value: int) -> None:
        """Take one value in."""
        self.add(Measure(1, value, value, value))


@dataclass(slots=True)
class Window:
    """What was moved in one window. ``bytes_moved`` are spread over the streaming times; ``measures`` are of the ok
    transfers of a link."""

    started: int = 0
    ok: int = 0
    failed: int = 0
    aborted: int = 0
    bytes: int = 0
    bytes_ok: int = 0
    bytes_moved: int = 0
    measures: dict[str, Measure] = field(default_factory=dict)

    def add(self, other: Window) -> None:
        """Take another's counts in."""
        self.started += other.started
        self.ok += other.ok
        self.failed += other.failed
        self.aborted += other.aborted
        self.bytes += other.bytes
        self.bytes_ok += other.bytes_ok
        self.bytes_moved += other.bytes_moved
        for name, measure in other.measures.items():
            self.measures.setdefault(name, Measure()).add(measure)


class Keys(NamedTuple):
    """The windows in which a thing counts, with 0 for where they begin."""

    link: WindowKey
    endpoints: EndpointKey
    activity: ActivityKey


class Ending(NamedTuple):
    """A transfer that ended: ``spans`` are its stages by measure, of which ``streaming`` is one."""

    state: str
    event_ms: int
    bytes: int
    spans: Mapping[str, Span]

    @property
    def streaming(self) -> Span:
        return self.spans["streaming"]


class Tally:
    """Counts what happens in base windows of links, endpoints and activities."""

    def __init__(self) -> None:
        self.links: dict[WindowKey, Window] = {}
        self.endpoints: dict[EndpointKey, Window] = {}
        self.activities: dict[ActivityKey, Window] = {}

    def start(self, keys: Keys, at_ms: int) -> None:
        """A transfer started."""
        for window in self._windows(keys, at_ms):
            window.started += 1

    def end(self, keys: Keys, ending: Ending) -> None:
        """A transfer ended."""
        for window in self._windows(keys, ending.event_ms):
            window.bytes += ending.bytes
            if ending.state == OK:
                window.ok += 1
                window.bytes_ok += ending.bytes
            elif ending.state == FAILED:
                window.failed += 1
            else:
                window.aborted += 1
        if ending.state == OK:
            measures = self.links[_at(keys.link, ending.event_ms)].measures
            for name, value in _measured(ending):
                measures.setdefault(name, Measure()).observe(value)
        for at_ms, share in _moved(ending):
            if share:
                for window in self._windows(keys, at_ms):
                    window.bytes_moved += share

    def _windows(self, keys: Keys, at_ms: int) -> tuple[Window, Window, Window]:
        return (
            self.links.setdefault(_at(keys.link, at_ms), Window()),
            self.endpoints.setdefault(_at(keys.endpoints, at_ms), Window()),
            self.activities.setdefault(_at(keys.activity, at_ms), Window()),
        )


def widened(base: Mapping[K, Window], width_ms: int) -> dict[K, Window]:
    """Windows of a multiple of the base width: sums of the base windows."""
    wide: dict[K, Window] = {}
    for key, window in base.items():
        start_ms = key.start_ms - key.start_ms % width_ms
        wide.setdefault(key._replace(start_ms=start_ms), Window()).add(window)
    return wide


def window_start(at_ms: int) -> int:
    """Where the base window of an instant begins."""
    return at_ms - at_ms % BASE_MS


def _at(key: K, at_ms: int) -> K:
    return key._replace(start_ms=window_start(at_ms))


def _measured(ending: Ending) -> Iterator[tuple[str, int]]:
    for name, span in ending.spans.items():
        if _has_duration(span):
            yield name, span[1] - span[0]
    begin, end = ending.streaming
    if _has_duration(ending.streaming) and end > begin:
        yield "throughput", ending.bytes * 1000 // (end - begin)


def _has_duration(span: Span) -> bool:
    """Both ends were reached, in order, and it is no clock's mistake."""
    return 0 not in span and 0 <= span[1] - span[0] <= WEEK_MS


def _moved(ending: Ending) -> Iterator[tuple[int, int]]:
    """(a time in the window, bytes moved in it): spread evenly over the streaming time where that can be true.

    100 bytes over 7 minutes, 2 of which lie before the edge of a window, give 28 bytes before it and 72 after it.
    """
    begin, end = span = ending.streaming
    if span == NEVER or not _has_duration(span) or begin == end or end > ending.event_ms + CLOCK_TOLERANCE_MS:
        yield ending.event_ms, ending.bytes
        return
    at_ms, told = begin, 0
    while at_ms < end:
        edge = min(at_ms - at_ms % BASE_MS + BASE_MS, end)
        until_edge = ending.bytes * (edge - begin) // (end - begin)
        yield at_ms, until_edge - told
        at_ms, told = edge, until_edge
