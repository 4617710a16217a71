"""Which window gets what: counts and bytes by event time, moved bytes spread over the streaming interval.

Windows are tumbling, aligned to the epoch and half-open; a base window is ten minutes wide. A batch folds into one
``Delta`` a (window, link); deltas of one kind are merged by adding, so order and batches do not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schemas.events import FAILED, INTERVAL_EMPTY, INTERVAL_IGNORED, INTERVAL_NONE, OK, STAGES, Complete
from schemas.histogram import BINS_PER_MEASURE, bin_of

BASE_MS = 600_000
WIDTHS_MS: dict[str, int] = {"10m": BASE_MS, "1h": 3_600_000, "1d": 86_400_000}

COUNTERS: tuple[str, ...] = (
    "started",
    "ok",
    "failed",
    "aborted",
    "bytes",
    "bytes_ok",
    "bytes_moved",
    "interval_none",
    "interval_empty",
    "interval_ignored",
)
"""The plain sums of a window, in the order of ``Delta.counters``."""

STARTED, OK_COUNT, FAILED_COUNT, ABORTED_COUNT, BYTES, BYTES_OK, BYTES_MOVED = range(7)
_INTERVAL_COUNTER = {INTERVAL_NONE: 7, INTERVAL_EMPTY: 8, INTERVAL_IGNORED: 9}
_STAGE_RANGE = range(len(STAGES))


class LinkKey(NamedTuple):
    """What a link window is counted by; ``""`` stands for none (no FTS, no channel)."""

    technology: str
    fts: str
    vo: str
    channel: str
    src_host: str
    dst_host: str
    src_site: str
    dst_site: str
    src_country: str
    dst_country: str


class Delta:
    """What a batch adds to one window of one link: COUNTERS, and per stage the values of its ok transfers."""

    __slots__ = ("counters", "stages")

    def __init__(self) -> None:
        self.counters = [0] * len(COUNTERS)
        self.stages: tuple[list[int], ...] | None = None

    def add_stages(self, durations: tuple[int | None, ...]) -> None:
        """Note the stages of an ok transfer, those that happened."""
        stages = self.stages
        if stages is None:
            stages = self.stages = tuple([] for _ in _STAGE_RANGE)
        for values, duration in zip(stages, durations, strict=True):
            if duration is not None:
                values.append(duration)

    def merge(self, other: Delta) -> None:
        """Add what another batch or a narrower window holds."""
        self.counters = [a + b for a, b in zip(self.counters, other.counters, strict=True)]
        if other.stages is not None:
            if self.stages is None:
                self.stages = tuple([] for _ in _STAGE_RANGE)
            for mine, theirs in zip(self.stages, other.stages, strict=True):
                mine.extend(theirs)

    def histogram(self) -> dict[int, int]:
        """Counts by code, ``stage * BINS_PER_MEASURE + bin``, rising."""
        counts: dict[int, int] = {}
        for stage, values in enumerate(self.stages or ()):
            base = stage * BINS_PER_MEASURE
            for value in values:
                code = base + bin_of(value)
                counts[code] = counts.get(code, 0) + 1
        return dict(sorted(counts.items()))


Deltas = dict[LinkKey, dict[int, Delta]]
"""Per link, the delta of each window it touches, by window start in ms."""


def spread(total: int, begin_ms: int, end_ms: int, width_ms: int = BASE_MS) -> Iterator[tuple[int, int]]:
    """Whole bytes per window of an interval ``[begin_ms, end_ms)``, windows without any left out.

    At each window edge the bytes moved until there are ``floor(total * elapsed / duration)``, so the pieces always
    add up to ``total``: spread(10, 599_999, 600_002) gives 3 bytes to the first window and 7 to the second.
    """
    duration = end_ms - begin_ms
    window = begin_ms - begin_ms % width_ms
    given = 0
    while window < end_ms:
        edge = window + width_ms
        until = total if edge >= end_ms else total * (edge - begin_ms) // duration
        if until > given:
            yield window, until - given
            given = until
        window = edge


def delta_of(windows: dict[int, Delta], event_ms: int) -> Delta:
    """The delta of the base window that holds an instant, made when it is not there yet."""
    window = event_ms - event_ms % BASE_MS
    delta = windows.get(window)
    if delta is None:
        delta = windows[window] = Delta()
    return delta


def add_complete(windows: dict[int, Delta], complete: Complete) -> None:
    """Count a finished transfer in its window and spread its bytes."""
    event_ms = complete.event_ms
    delta = delta_of(windows, event_ms)
    counters = delta.counters
    size = complete.bytes
    counters[BYTES] += size
    if complete.state == OK:
        counters[OK_COUNT] += 1
        counters[BYTES_OK] += size
        delta.add_stages(complete.durations)
    else:
        counters[FAILED_COUNT if complete.state == FAILED else ABORTED_COUNT] += 1
    lost_interval = _INTERVAL_COUNTER.get(complete.interval)
    if lost_interval is not None:
        counters[lost_interval] += 1
        counters[BYTES_MOVED] += size
    elif complete.moved_from_ms // BASE_MS == event_ms // BASE_MS == (complete.moved_to_ms - 1) // BASE_MS:
        counters[BYTES_MOVED] += size
    else:
        for window, moved in spread(size, complete.moved_from_ms, complete.moved_to_ms):
            delta_of(windows, window).counters[BYTES_MOVED] += moved


def roll_up(deltas: Deltas, width_ms: int) -> Deltas:
    """The same deltas in wider windows."""
    rolled: Deltas = {}
    for link, windows in deltas.items():
        wide: dict[int, Delta] = {}
        for window, delta in windows.items():
            start = window - window % width_ms
            into = wide.get(start)
            if into is None:
                into = wide[start] = Delta()
            into.merge(delta)
        rolled[link] = wide
    return rolled
