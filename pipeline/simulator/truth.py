"""What must come out: counted from the script's own facts, never by reading a message.

It knows the rules of the windows and nothing of parsers, stages or tables, so that it can judge them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from pipeline.simulator.faults import Kind, Sending
from pipeline.simulator.script import FAILED, NEVER, OK, Attempt, Span

WIDTHS_MS = {"10m": 600_000, "1h": 3_600_000, "1d": 86_400_000}
BASE_MS = WIDTHS_MS["10m"]
WEEK_MS = 7 * 86_400_000
CLOCK_TOLERANCE_MS = 60_000


class WindowKey(NamedTuple):
    """A link's window: where it begins (ms since the epoch), who moved the data for whom, and between which hosts."""

    start_ms: int
    fts: str
    vo: str
    channel: str
    src_host: str
    dst_host: str


@dataclass(slots=True)
class Measure:
    """Count, sum, smallest and largest of one measure of the ok transfers: ms, for throughput bytes/s."""

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


@dataclass(slots=True)
class Window:
    """What one link did in one window. ``bytes_moved`` are spread over the streaming times."""

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


@dataclass
class Truth:
    """The result that the published messages must have in a new store.

    ``pairs``: (fts, id, event time) of a complete -> (id, timestamp) of its start. ``in_flight``: (fts, id, timestamp)
    of the starts without a complete. ``dead``: dead letters by reason. ``windows``: by width (10m, 1h, 1d).
    """

    messages: int = 0
    stored: int = 0
    duplicates: int = 0
    dead: Counter[str] = field(default_factory=Counter)
    total: Window = field(default_factory=Window)
    pairs: dict[tuple[str, str, int], tuple[str, int]] = field(default_factory=dict)
    in_flight: set[tuple[str, str, int]] = field(default_factory=set)
    windows: dict[str, dict[WindowKey, Window]] = field(default_factory=dict)

    @property
    def finished(self) -> int:
        """Transfers that ended, in whatever state."""
        return self.total.ok + self.total.failed + self.total.aborted

    def summary(self) -> dict[str, Any]:
        """The totals, ready for JSON."""
        totals = asdict(self.total)
        return {
            "messages": self.messages,
            "stored": self.stored,
            "duplicates": self.duplicates,
            "dead": dict(sorted(self.dead.items())),
            "finished": self.finished,
            "paired": len(self.pairs),
            "in_flight": len(self.in_flight),
            **totals,
        }

    def document(self) -> dict[str, Any]:
        """Everything, ready for JSON: the summary, pairs, starts in flight and windows as lists of rows."""
        return self.summary() | {
            "pairs": [
                {"fts": fts, "tr_id": tr_id, "ended_ms": ended_ms, "transfer_id": start_id, "started_ms": started_ms}
                for (fts, tr_id, ended_ms), (start_id, started_ms) in sorted(self.pairs.items())
            ],
            "in_flight_starts": [
                {"fts": fts, "transfer_id": start_id, "started_ms": started_ms}
                for fts, start_id, started_ms in sorted(self.in_flight)
            ],
            "windows": {
                width: [key._asdict() | asdict(window) for key, window in sorted(windows.items())]
                for width, windows in self.windows.items()
            },
        }


def find_truth(sendings: Iterable[Sending]) -> Truth:
    """Count what the sendings tell; all of an attempt's must follow each other, the start's first."""
    truth = Truth()
    base: dict[WindowKey, Window] = {}
    in_flight: Attempt | None = None
    for sending in sendings:
        attempt = sending.attempt
        truth.messages += 1
        if sending.poison:
            truth.dead[sending.poison] += 1
        elif sending.again:
            truth.duplicates += 1
        elif sending.kind is Kind.START:
            truth.in_flight.add(_start(attempt))
            in_flight = attempt
            base.setdefault(_key(attempt, attempt.reported_ms), Window()).started += 1
        else:
            if in_flight is attempt:
                truth.in_flight.remove(_start(attempt))
                truth.pairs[attempt.file.fts, attempt.complete_id, attempt.event_ms] = _start(attempt)[1:]
            _count_end(base, attempt)
    for window in base.values():
        truth.total.add(window)
    truth.stored = truth.total.started + truth.finished
    truth.windows = {width: _widened(base, width_ms) for width, width_ms in WIDTHS_MS.items()}
    return truth


def _start(attempt: Attempt) -> tuple[str, str, int]:
    return attempt.file.fts, attempt.start_id, attempt.reported_ms


def _key(attempt: Attempt, at_ms: int) -> WindowKey:
    file = attempt.file
    return WindowKey(at_ms - at_ms % BASE_MS, file.fts, file.link.vo, file.channel, file.src_host, file.dst_host)


def _count_end(base: dict[WindowKey, Window], attempt: Attempt) -> None:
    window = base.setdefault(_key(attempt, attempt.event_ms), Window())
    window.bytes += attempt.bytes
    if attempt.state == OK:
        window.ok += 1
        window.bytes_ok += attempt.bytes
        for name, value in _measures(attempt):
            window.measures.setdefault(name, Measure()).add(Measure(1, value, value, value))
    elif attempt.state == FAILED:
        window.failed += 1
    else:
        window.aborted += 1
    for at_ms, share in _moved(attempt):
        if share:
            base.setdefault(_key(attempt, at_ms), Window()).bytes_moved += share


def _measures(attempt: Attempt) -> Iterator[tuple[str, int]]:
    spans = {
        "streaming": attempt.streaming,
        "total": (attempt.begin_ms, attempt.end_ms),
        "srm_prep": attempt.srm_prep,
        "srm_fin": attempt.srm_fin,
        "checksum_src": attempt.checksum_src,
        "checksum_dst": attempt.checksum_dst,
    }
    for name, span in spans.items():
        if _has_duration(span):
            yield name, span[1] - span[0]
    begin, end = attempt.streaming
    if _has_duration(attempt.streaming) and end > begin:
        yield "throughput", attempt.bytes * 1000 // (end - begin)


def _has_duration(span: Span) -> bool:
    """Both ends were reached, in order, and it is no clock's mistake."""
    return 0 not in span and 0 <= span[1] - span[0] <= WEEK_MS


def _moved(attempt: Attempt) -> Iterator[tuple[int, int]]:
    """(a time in the window, bytes moved in it): spread evenly over the streaming time where that can be true.

    100 bytes over 7 minutes, 2 of which lie before the edge of a window, give 28 bytes before it and 72 after it.
    """
    begin, end = span = attempt.streaming
    if span == NEVER or not _has_duration(span) or begin == end or end > attempt.event_ms + CLOCK_TOLERANCE_MS:
        yield attempt.event_ms, attempt.bytes
        return
    at_ms, told = begin, 0
    while at_ms < end:
        edge = min(at_ms - at_ms % BASE_MS + BASE_MS, end)
        until_edge = attempt.bytes * (edge - begin) // (end - begin)
        yield at_ms, until_edge - told
        at_ms, told = edge, until_edge


def _widened(base: dict[WindowKey, Window], width_ms: int) -> dict[WindowKey, Window]:
    """Windows of a multiple of the base width: sums of the base windows."""
    wide: dict[WindowKey, Window] = {}
    for key, window in base.items():
        start_ms = key.start_ms - key.start_ms % width_ms
        wide.setdefault(key._replace(start_ms=start_ms), Window()).add(window)
    return wide
