"""What a batch changes, given what the store knows of its transfer keys: a pure function.

Dedupe, pairing and window deltas meet here. The store loads ``Known`` before and writes ``Effects`` after, all in
one transaction.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from pipeline.stages.decode import Dead
from pipeline.stages.enrich import Enriched, NewComplete, NewStart, NewState
from pipeline.stages.errors import ErrorDeltas, add_error
from pipeline.stages.flows import FlowDeltas, add_complete_to_flow, add_start_to_flow
from pipeline.stages.pair import pair
from pipeline.stages.queues import Samples
from pipeline.stages.sources import DEAD, DUPLICATE, STORED, Sources
from pipeline.stages.windows import STARTED, Deltas, add_complete, delta_of
from schemas.events import Complete, Start, StateChange


class KnownStart(msgspec.Struct, gc=False):
    """A start that is stored: what dedupe and pairing need of it."""

    key_hash: int
    event_ms: int
    dedupe: int
    fts: str
    transfer_id: str
    agent: str
    received_ms: int
    paired: bool
    ref: str


class KnownComplete(msgspec.Struct, gc=False):
    """A complete that is stored, with the start that it is paired with now."""

    key_hash: int
    event_ms: int
    dedupe: int
    fts: str
    transfer_id: str
    agent: str
    received_ms: int
    state: str
    bytes: int
    started_ms: int | None
    never_pairs: bool
    start_ms: int | None
    start_dedupe: int | None
    ref: str


class KnownState(msgspec.Struct, gc=False):
    """A state message that is stored: what dedupe needs of it."""

    event_ms: int
    dedupe: int
    received_ms: int
    ref: str


AnyStart = Start | KnownStart
AnyComplete = Complete | KnownComplete
AnyState = StateChange | KnownState


class Known(NamedTuple):
    """All stored starts and completes of a batch's transfer keys that could matter to them, and the state messages of
    the batch that are stored already, as are the queue reports of these (event time, dedupe)."""

    starts: list[KnownStart]
    completes: list[KnownComplete]
    states: list[KnownState]
    reports: set[tuple[int, int]]


class Effects(NamedTuple):
    """Everything that one batch changes. Lists of changes to stored rows hold only rows that really change.

    ``reports`` is how many of its queue reports are new; ``samples`` are those of all of them: each may rank above the
    one that is stored.
    """

    starts: list[NewStart]
    completes: list[NewComplete]
    states: list[NewState]
    start_paired: list[tuple[KnownStart, bool]]
    complete_start: list[tuple[KnownComplete, AnyStart | None]]
    earlier_starts: list[KnownStart]
    earlier_completes: list[KnownComplete]
    earlier_states: list[KnownState]
    deltas: Deltas
    flows: FlowDeltas
    errors: ErrorDeltas
    sources: Sources
    dead: list[Dead]
    samples: Samples
    reports: int


class _Group:
    """The distinct messages of one transfer key, stored and new."""

    __slots__ = ("completes", "known", "starts")

    def __init__(self) -> None:
        self.starts: list[AnyStart] = []
        self.completes: list[AnyComplete] = []
        self.known = False


def decide(batch: Enriched, known: Known) -> Effects:
    """Dedupe, pair and fold one batch."""
    groups: dict[int, _Group] = {}
    seen_starts: dict[tuple[int, int], AnyStart] = {}
    seen_completes: dict[tuple[int, int], AnyComplete] = {}
    for known_start in known.starts:
        group = _group(groups, known_start.key_hash)
        group.starts.append(known_start)
        group.known = True
        seen_starts[known_start.event_ms, known_start.dedupe] = known_start
    for known_complete in known.completes:
        group = _group(groups, known_complete.key_hash)
        group.completes.append(known_complete)
        group.known = True
        seen_completes[known_complete.event_ms, known_complete.dedupe] = known_complete

    sources = Sources()
    reports = _note_reports(batch, known, sources)
    effects = Effects([], [], [], [], [], [], [], [], {}, {}, {}, sources, batch.dead, batch.samples, reports)
    note = sources.note
    new_starts: dict[int, NewStart] = {}
    for new in batch.starts:
        start = new.start
        seen = seen_starts.setdefault((start.event_ms, start.dedupe), start)
        if seen is not start:
            note(start.source, start.received_ms, DUPLICATE, start.event_ms)
            _keep_earlier_start(seen, start, effects)
            continue
        note(start.source, start.received_ms, STORED, start.event_ms)
        _group(groups, start.key_hash).starts.append(start)
        new.paired = False
        new_starts[id(start)] = new
        effects.starts.append(new)
        delta_of(effects.deltas.setdefault(new.link, {}), start.event_ms).counters[STARTED] += 1
        add_start_to_flow(effects.flows.setdefault(new.flow, {}), start.event_ms)
    new_completes: dict[int, NewComplete] = {}
    for ended in batch.completes:
        complete = ended.complete
        seen_complete = seen_completes.setdefault((complete.event_ms, complete.dedupe), complete)
        if seen_complete is not complete:
            note(complete.source, complete.received_ms, DUPLICATE, complete.event_ms)
            _keep_earlier_complete(seen_complete, complete, effects)
            continue
        note(complete.source, complete.received_ms, STORED, complete.event_ms)
        _group(groups, complete.key_hash).completes.append(complete)
        ended.started_by = None
        new_completes[id(complete)] = ended
        effects.completes.append(ended)
        add_complete(effects.deltas.setdefault(ended.link, {}), complete)
        add_complete_to_flow(effects.flows.setdefault(ended.flow, {}), complete)
        if ended.error is not None:
            add_error(effects.errors, ended.link, ended.error, complete)
    if batch.states:
        _decide_states(batch.states, known.states, effects)
    for dead in batch.dead:
        # A replayed file may not say when it was received; its dead letters are then counted in their table alone.
        if dead.message.received_ms is not None:
            note(dead.message.topic, dead.message.received_ms, DEAD, None)

    for group in groups.values():
        pairs = pair(group.starts, group.completes) if group.starts and group.completes else []
        for paired_start, paired_complete in pairs:
            if type(paired_start) is Start:
                new_starts[id(paired_start)].paired = True
            if type(paired_complete) is Complete:
                new_completes[id(paired_complete)].started_by = (paired_start.event_ms, paired_start.dedupe)
        if group.known:
            _changes(group, pairs, effects)
    return effects


def _note_reports(batch: Enriched, known: Known, sources: Sources) -> int:
    """How many queue reports of the batch are new."""
    seen = set(known.reports)
    for report in batch.reports:
        key = (report.event_ms, report.dedupe)
        sources.note(report.source, report.received_ms, DUPLICATE if key in seen else STORED, report.event_ms)
        seen.add(key)
    return len(seen) - len(known.reports)


def _group(groups: dict[int, _Group], key_hash: int) -> _Group:
    group = groups.get(key_hash)
    if group is None:
        group = groups[key_hash] = _Group()
    return group


def _changes(group: _Group, pairs: list[tuple[AnyStart, AnyComplete]], effects: Effects) -> None:
    paired_starts = {id(start) for start, _ in pairs}
    start_of = {id(complete): start for start, complete in pairs}
    for start in group.starts:
        if type(start) is KnownStart and start.paired != (id(start) in paired_starts):
            effects.start_paired.append((start, not start.paired))
    for complete in group.completes:
        if type(complete) is KnownComplete:
            now = start_of.get(id(complete))
            before = (complete.start_ms, complete.start_dedupe)
            if before != ((now.event_ms, now.dedupe) if now else (None, None)):
                effects.complete_start.append((complete, now))


def _keep_earlier_start(seen: AnyStart, again: Start, effects: Effects) -> None:
    """Of two copies of one message the row tells of the one received first, whichever is handled first."""
    if _receipt(again) < _receipt(seen):
        seen.received_ms, seen.ref = again.received_ms, again.ref
        if type(seen) is KnownStart:
            effects.earlier_starts.append(seen)


def _keep_earlier_complete(seen: AnyComplete, again: Complete, effects: Effects) -> None:
    if _receipt(again) < _receipt(seen):
        seen.received_ms, seen.ref = again.received_ms, again.ref
        if type(seen) is KnownComplete:
            effects.earlier_completes.append(seen)


def _decide_states(new: list[NewState], known: list[KnownState], effects: Effects) -> None:
    seen: dict[tuple[int, int], AnyState] = {(state.event_ms, state.dedupe): state for state in known}
    for state in new:
        change = state.change
        first = seen.setdefault((change.event_ms, change.dedupe), change)
        is_new = first is change
        effects.sources.note(change.source, change.received_ms, STORED if is_new else DUPLICATE, change.event_ms)
        if is_new:
            effects.states.append(state)
        elif _receipt(change) < _receipt(first):
            first.received_ms, first.ref = change.received_ms, change.ref
            if type(first) is KnownState:
                effects.earlier_states.append(first)


def _receipt(message: AnyStart | AnyComplete | AnyState) -> tuple[int, int, str]:
    """Redelivery keeps the receipt time: the reference decides then, its length first so that 9 comes before 10."""
    return message.received_ms, len(message.ref), message.ref
