"""A store in memory: applies what ``decide`` says as the tables would, with no bound on what it looks up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.stages.decide import Effects, Known, KnownComplete, KnownStart, KnownState, decide
from pipeline.stages.decode import Dead, decode
from pipeline.stages.enrich import NewComplete, NewStart, NewState, enrich
from pipeline.stages.errors import ErrorDelta, ErrorKey
from pipeline.stages.flows import FlowKey
from pipeline.stages.queues import Samples
from pipeline.stages.windows import Delta, LinkKey
from pipeline.topology.resolve import Topology
from schemas.envelope import RawMessage
from schemas.rules import Horizon

Row = tuple[int, int]
"""A stored message: its event time and dedupe hash."""


class MemoryStore:
    """Commits batches one after another. ``contents`` is what the tables hold, free of any order."""

    def __init__(self) -> None:
        self._starts: dict[Row, KnownStart] = {}
        self._completes: dict[Row, KnownComplete] = {}
        self._states: dict[Row, KnownState] = {}
        self._windows: dict[tuple[LinkKey, int], Delta] = {}
        self._flows: dict[tuple[FlowKey, int], list[int]] = {}
        self._errors: dict[tuple[int, LinkKey, ErrorKey], ErrorDelta] = {}
        self._dead: dict[str, Dead] = {}
        self._reports: set[Row] = set()
        self._samples: Samples = {}

    def commit(self, messages: Sequence[RawMessage]) -> Effects:
        """Decode, enrich, decide and apply one batch."""
        batch = enrich(decode(messages, Horizon()), Topology.empty())
        keys = {new.start.key_hash for new in batch.starts} | {new.complete.key_hash for new in batch.completes}
        known = Known(
            [_copy(start) for start in self._starts.values() if start.key_hash in keys],
            [_copy(complete) for complete in self._completes.values() if complete.key_hash in keys],
            [_copy(self._states[row]) for row in sorted({_state_row(new) for new in batch.states} & {*self._states})],
            self._reports & {(report.event_ms, report.dedupe) for report in batch.reports},
        )
        self._reports |= {(report.event_ms, report.dedupe) for report in batch.reports}
        effects = decide(batch, known)
        self._apply(effects)
        return effects

    def contents(self) -> dict[str, Any]:
        """Every row and cell."""
        return {
            "starts": {row: (s.paired, s.received_ms, s.ref) for row, s in self._starts.items()},
            "completes": {
                row: (c.start_ms, c.start_dedupe, c.received_ms, c.ref) for row, c in self._completes.items()
            },
            "states": {row: (state.received_ms, state.ref) for row, state in self._states.items()},
            "windows": {
                where: (delta.counters, [sorted(values) for values in delta.stages or ()])
                for where, delta in self._windows.items()
            },
            "flows": self._flows,
            "errors": {
                where: (error.count, error.at_ms, error.dedupe, error.sample) for where, error in self._errors.items()
            },
            "reports": self._reports,
            "samples": self._samples,
            "dead": {identity: (dead.reason, dead.message.body) for identity, dead in self._dead.items()},
        }

    def pairs(self) -> set[tuple[Row, Row]]:
        """(start, complete) of every pair."""
        return {
            ((c.start_ms, c.start_dedupe), row)
            for row, c in self._completes.items()
            if c.start_ms is not None and c.start_dedupe is not None
        }

    def in_flight(self) -> set[Row]:
        """The starts without a complete."""
        return {row for row, start in self._starts.items() if not start.paired}

    def _apply(self, effects: Effects) -> None:
        _insert(self._starts, (_known_start(new) for new in effects.starts))
        _insert(self._completes, (_known_complete(new) for new in effects.completes))
        for start, paired in effects.start_paired:
            self._starts[start.event_ms, start.dedupe].paired = paired
        for complete, now in effects.complete_start:
            row = self._completes[complete.event_ms, complete.dedupe]
            row.start_ms, row.start_dedupe = (now.event_ms, now.dedupe) if now else (None, None)
        for earlier in effects.earlier_starts:
            stored = self._starts[earlier.event_ms, earlier.dedupe]
            stored.received_ms, stored.ref = earlier.received_ms, earlier.ref
        for earlier_complete in effects.earlier_completes:
            ended = self._completes[earlier_complete.event_ms, earlier_complete.dedupe]
            ended.received_ms, ended.ref = earlier_complete.received_ms, earlier_complete.ref
        for new in effects.states:
            change = new.change
            assert _state_row(new) not in self._states, "a unique index would refuse it"
            self._states[_state_row(new)] = KnownState(change.event_ms, change.dedupe, change.received_ms, change.ref)
        for earlier_state in effects.earlier_states:
            known = self._states[earlier_state.event_ms, earlier_state.dedupe]
            known.received_ms, known.ref = earlier_state.received_ms, earlier_state.ref
        for link, windows in effects.deltas.items():
            for window, delta in windows.items():
                self._windows.setdefault((link, window), Delta()).merge(delta)
        for flow, counted in effects.flows.items():
            for window, counters in counted.items():
                total = self._flows.get((flow, window), [0] * len(counters))
                self._flows[flow, window] = [a + b for a, b in zip(total, counters, strict=True)]
        for kind, error in effects.errors.items():
            before = self._errors.setdefault(kind, error)
            if before is not error:
                before.merge(error)
        for where, sample in effects.samples.items():
            self._samples[where] = max(sample, self._samples.get(where, sample), key=lambda each: each.rank)
        for dead in effects.dead:
            self._dead.setdefault(dead.message.identity, dead)


def _insert(table: dict[Row, Any], rows: Iterable[KnownStart | KnownComplete]) -> None:
    for row in rows:
        key = (row.event_ms, row.dedupe)
        assert key not in table, "a unique index would refuse it"
        table[key] = row


def _known_start(new: NewStart) -> KnownStart:
    s = new.start
    return KnownStart(s.key_hash, s.event_ms, s.dedupe, s.fts, s.transfer_id, s.agent, s.received_ms, new.paired, s.ref)


def _known_complete(new: NewComplete) -> KnownComplete:
    c = new.complete
    start_ms, start_dedupe = new.started_by or (None, None)
    return KnownComplete(
        c.key_hash,
        c.event_ms,
        c.dedupe,
        c.fts,
        c.transfer_id,
        c.agent,
        c.received_ms,
        c.state,
        c.bytes,
        c.started_ms,
        c.never_pairs,
        start_ms,
        start_dedupe,
        c.ref,
    )


def _state_row(new: NewState) -> Row:
    return new.change.event_ms, new.change.dedupe


def _copy(row: Any) -> Any:
    """What a SELECT returns: changing it changes no table."""
    return type(row)(*(getattr(row, name) for name in row.__struct_fields__))
