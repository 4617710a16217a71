"""What must come out: counted from the script's own facts, never by reading a message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from pipeline.simulator.accesses import Access, Form
from pipeline.simulator.counted_queues import Figures, QueueKey, QueueTally, QueueWindow, SampleKey, queue_windows
from pipeline.simulator.failures import code_told
from pipeline.simulator.families import AnySending
from pipeline.simulator.faults import Kind
from pipeline.simulator.naming import told_of
from pipeline.simulator.places import UNKNOWN, EndpointOf, named_alone
from pipeline.simulator.queues import QueueReport
from pipeline.simulator.script import FAILED, OK, Attempt, File
from pipeline.simulator.states import FINAL, FileState
from pipeline.simulator.windows import (
    WIDTHS_MS,
    ActivityKey,
    Ending,
    EndpointKey,
    Keys,
    Measure,
    Tally,
    Window,
    WindowKey,
    widened,
    window_start,
)

FTS, XROOTD, XROOTD_TPC = "fts", "xrootd", "xrootd-tpc"
Start = tuple[str, str, int]
"""FTS instance, id and timestamp of a start."""


class ErrorKey(NamedTuple):
    """A window of the failures of a kind on a link."""

    start_ms: int
    fts: str
    vo: str
    channel: str
    src_host: str
    dst_host: str
    scope: str
    phase: str
    category: str
    code: str


class StateKey(NamedTuple):
    """A window of the files of a link that reached a state."""

    start_ms: int
    fts: str
    vo: str
    src_host: str
    dst_host: str
    state: str


@dataclass(slots=True)
class StateWindow:
    """How many reached it; how long the active ones had waited and, of these, been brought from tape (ms)."""

    count: int = 0
    wait: Measure = field(default_factory=Measure)
    staging: Measure = field(default_factory=Measure)


@dataclass
class Truth:
    """The result that the published messages must have in a new store.

    ``pairs``: (fts, id, event time) of a complete -> (id, timestamp) of its start. ``in_flight``: (fts, id, timestamp)
    of the starts without a complete, of which a state message closed those in ``closed``. ``dead``: dead letters by
    reason. ``windows``, ``endpoints``, ``activities``: by width (10m, 1h, 1d); all else in windows of ten minutes.
    ``totals``: sums by technology, which nobody adds up: the same bytes may be told by two.
    """

    messages: int = 0
    stored: int = 0
    duplicates: int = 0
    dead: Counter[str] = field(default_factory=Counter)
    totals: dict[str, Window] = field(default_factory=dict)
    pairs: dict[tuple[str, str, int], tuple[str, int]] = field(default_factory=dict)
    in_flight: set[Start] = field(default_factory=set)
    closed: set[Start] = field(default_factory=set)
    windows: dict[str, dict[WindowKey, Window]] = field(default_factory=dict)
    endpoints: dict[str, dict[EndpointKey, Window]] = field(default_factory=dict)
    activities: dict[str, dict[ActivityKey, Window]] = field(default_factory=dict)
    errors: Counter[ErrorKey] = field(default_factory=Counter)
    states: dict[StateKey, StateWindow] = field(default_factory=dict)
    samples: dict[SampleKey, Figures] = field(default_factory=dict)
    queues: dict[QueueKey, QueueWindow] = field(default_factory=dict)

    @property
    def total(self) -> Window:
        """What FTS moved."""
        return self.totals.get(FTS, Window())

    @property
    def finished(self) -> int:
        """Transfers of FTS that ended, in whatever state."""
        return self.total.ok + self.total.failed + self.total.aborted

    @property
    def records(self) -> dict[str, Window]:
        """What xrootd's records tell, by technology."""
        return {technology: window for technology, window in self.totals.items() if technology != FTS}

    @property
    def told_states(self) -> int:
        """State messages."""
        return sum(window.count for window in self.states.values())

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
            "closed_by_state": len(self.closed),
            "states": self.told_states,
            "queue_samples": len(self.samples),
            "records": {
                technology: {"ok": window.ok, "bytes": window.bytes}
                for technology, window in sorted(self.records.items())
            },
            **totals,
        }

    def document(self) -> dict[str, Any]:
        """Everything, ready for JSON: the summary, pairs, starts in flight and windows as lists of rows."""
        windows: dict[str, Mapping[str, Mapping[Any, Window]]]
        windows = {"windows": self.windows, "endpoints": self.endpoints, "activities": self.activities}
        return (
            self.summary()
            | {
                "pairs": [
                    {
                        "fts": fts,
                        "tr_id": tr_id,
                        "ended_ms": ended_ms,
                        "transfer_id": start_id,
                        "started_ms": started_ms,
                    }
                    for (fts, tr_id, ended_ms), (start_id, started_ms) in sorted(self.pairs.items())
                ],
                "in_flight_starts": [
                    {
                        "fts": start[0],
                        "transfer_id": start[1],
                        "started_ms": start[2],
                        "closed_by_state": start in self.closed,
                    }
                    for start in sorted(self.in_flight)
                ],
                "errors": [key._asdict() | {"count": number} for key, number in sorted(self.errors.items())],
                "state_windows": [key._asdict() | asdict(window) for key, window in sorted(self.states.items())],
                "queue_windows": [key._asdict() | window._asdict() for key, window in sorted(self.queues.items())],
            }
            | {
                name: {
                    width: [key._asdict() | asdict(window) for key, window in sorted(rows.items())]
                    for width, rows in of_width.items()
                }
                for name, of_width in windows.items()
            }
        )


def find_truth(sendings: Iterable[AnySending], endpoint_of: EndpointOf = named_alone) -> Truth:
    """Count what the sendings tell; all starts and completes of an attempt must follow each other, the start first."""
    counting = _Counting(endpoint_of)
    for sending in sendings:
        counting.add(sending)
    return counting.truth()


class _Counting:
    """Everything on the way to a truth."""

    def __init__(self, endpoint_of: EndpointOf) -> None:
        self._endpoint_of = endpoint_of
        self._truth = Truth()
        self._tally = Tally()
        self._queues = QueueTally()
        self._started: Attempt | None = None
        self._open: dict[Start, File] = {}
        self._closed_ms: dict[tuple[str, int], int] = {}

    def add(self, sending: AnySending) -> None:
        """Count one sending."""
        truth, facts = self._truth, sending.facts
        truth.messages += 1
        if sending.poison:
            truth.dead[sending.poison] += 1
        elif isinstance(facts, QueueReport):
            new = self._queues.add(facts)
            truth.stored += new
            truth.duplicates += not new
        elif sending.again:
            truth.duplicates += 1
        else:
            truth.stored += 1
            if isinstance(facts, Attempt):
                self._attempt(sending.kind, facts)
            elif isinstance(facts, FileState):
                self._state(facts)
            else:
                self._access(facts)

    def truth(self) -> Truth:
        """What came out."""
        truth, tally = self._truth, self._tally
        for key, window in tally.links.items():
            truth.totals.setdefault(key.technology, Window()).add(window)
        truth.in_flight = set(self._open)
        truth.closed = {
            start
            for start, file in self._open.items()
            if self._closed_ms.get((file.job_id, file.file_id), 0) >= start[2]
        }
        for width, width_ms in WIDTHS_MS.items():
            truth.windows[width] = widened(tally.links, width_ms)
            truth.endpoints[width] = widened(tally.endpoints, width_ms)
            truth.activities[width] = widened(tally.activities, width_ms)
        truth.samples = self._queues.samples
        truth.queues = queue_windows(truth.samples)
        return truth

    def _attempt(self, kind: Kind, attempt: Attempt) -> None:
        keys = self._keys_of_file(attempt.file)
        start = attempt.file.fts, attempt.start_id, attempt.reported_ms
        if kind is Kind.START:
            self._open[start] = attempt.file
            self._started = attempt
            self._tally.start(keys, attempt.reported_ms)
            return
        if self._started is attempt:
            del self._open[start]
            self._truth.pairs[attempt.file.fts, attempt.complete_id, attempt.event_ms] = start[1:]
        self._tally.end(keys, _ending(attempt))
        failure = attempt.failure
        if attempt.state == FAILED and failure:
            link = keys.link
            where = (window_start(attempt.event_ms), link.fts, link.vo, link.channel, link.src_host, link.dst_host)
            kind_of = (failure.scope, failure.phase, failure.category, code_told(failure, attempt.file.era.is_fts2))
            self._truth.errors[ErrorKey(*where, *kind_of)] += 1

    def _state(self, state: FileState) -> None:
        file = state.file
        key = StateKey(
            window_start(state.at_ms), file.fts, file.link.vo, file.link.src.name, file.link.dst.name, state.state
        )
        window = self._truth.states.setdefault(key, StateWindow())
        window.count += 1
        for measure, value in ((window.wait, state.wait_ms), (window.staging, state.staging_ms)):
            if value is not None:
                measure.observe(value)
        if state.state in FINAL:
            of_file = file.job_id, file.file_id
            self._closed_ms[of_file] = max(state.at_ms, self._closed_ms.get(of_file, 0))

    def _access(self, access: Access) -> None:
        technology = XROOTD_TPC if access.form is Form.TPC else XROOTD
        ends = (access.src_host, access.dst_host)
        src, dst = (self._endpoint_of(access.vo, host) for host in ends)
        keys = Keys(
            WindowKey(0, technology, "", access.vo, "", *ends),
            EndpointKey(0, technology, "", access.vo, src, dst),
            ActivityKey(0, technology, "", access.vo, UNKNOWN),
        )
        self._tally.end(keys, Ending(OK, access.open_ms[1], access.bytes, {"streaming": access.open_ms}))

    def _keys_of_file(self, file: File) -> Keys:
        vo, told = file.link.vo, told_of(file)
        src = told.src_endpoint or self._endpoint_of(vo, file.src_host)
        dst = told.dst_endpoint or self._endpoint_of(vo, file.dst_host)
        return Keys(
            WindowKey(0, FTS, file.fts, vo, file.channel, file.src_host, file.dst_host),
            EndpointKey(0, FTS, file.fts, vo, src, dst),
            ActivityKey(0, FTS, file.fts, vo, told.activity or UNKNOWN),
        )


def _ending(attempt: Attempt) -> Ending:
    spans = {
        "streaming": attempt.streaming,
        "total": (attempt.begin_ms, attempt.end_ms),
        "srm_prep": attempt.srm_prep,
        "srm_fin": attempt.srm_fin,
        "checksum_src": attempt.checksum_src,
        "checksum_dst": attempt.checksum_dst,
    }
    return Ending(attempt.state, attempt.event_ms, attempt.bytes, spans)
