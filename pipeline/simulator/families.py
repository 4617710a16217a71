"""The families of messages: each tells one story after the other, and what happens to its messages on their way.

A family draws from a random source of its own, so that how much there is of one changes nothing in another.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Protocol

from pipeline.simulator.accesses import Access, Accesses
from pipeline.simulator.faults import Kind, Sending, copies, poisoned
from pipeline.simulator.mix import Mix
from pipeline.simulator.poison import COMPLETE_ONLY
from pipeline.simulator.queues import QueueReport, Queues, Shape
from pipeline.simulator.script import Attempt, Era, Script
from pipeline.simulator.spoiling import BODIES
from pipeline.simulator.states import FileState, FileStates
from pipeline.simulator.wire_accesses import NEEDS_COLLECTOR, reasons
from pipeline.simulator.wire_queues import OPTIMIZER_SPOILS
from pipeline.simulator.wire_queues import SPOILS as STATUS_SPOILS
from pipeline.simulator.wire_states import SPOILS as STATE_SPOILS
from pipeline.simulator.world import make_world

Facts = Attempt | FileState | QueueReport | Access
"""What a message tells."""
AnySending = Sending[Attempt] | Sending[FileState] | Sending[QueueReport] | Sending[Access]


class Family(Protocol):
    """Messages that belong together."""

    def next_story(self, begin_ms: int) -> Iterator[AnySending]:
        """The sendings of the next thing that happens, at ``begin_ms``."""
        ...


class Transfers:
    """Files that FTS moves: starts and completes, and the states of some files. All sendings of an attempt follow each
    other, the start's first."""

    def __init__(self, rng: Random, states: Random, mix: Mix) -> None:
        self._rng = rng
        self._states = states
        self._mix = mix
        self._script = Script(rng, make_world(rng, mix.links))

    def next_story(self, begin_ms: int) -> Iterator[AnySending]:
        """The next file, with all its attempts."""
        rng, mix = self._rng, self._mix
        era = _era(rng, mix)
        # Drawn only where states are asked for, and from their own source: without them nothing is different.
        told = era is Era.FTS3 and mix.states > 0 and self._states.random() < mix.states
        states = FileStates(self._states) if told else None
        for attempt in self._script.next_file(begin_ms, era):
            if states:
                yield from self._tell(states.attempt(attempt))
            if attempt.reported_ms and rng.random() >= mix.missing_start:
                yield from copies(rng, mix, Kind.START, attempt, attempt.reported_ms)
            if rng.random() >= mix.missing_complete:
                yield from copies(rng, mix, Kind.COMPLETE, attempt, attempt.event_ms)
            if rng.random() < mix.poison:
                yield self._poison(next(self._script.next_file(begin_ms, Era.FTS3)))
        if states:
            yield from self._tell(states.end())

    def _tell(self, states: Iterator[FileState]) -> Iterator[Sending[FileState]]:
        rng, mix = self._states, self._mix
        for state in states:
            yield from copies(rng, mix, Kind.STATE, state, state.at_ms)
            if rng.random() < mix.poison:
                yield poisoned(rng, mix, Kind.STATE, state, state.at_ms, rng.choice((*BODIES, *STATE_SPOILS)))

    def _poison(self, attempt: Attempt) -> Sending[Attempt]:
        """A transfer that was cancelled before its start has no start."""
        rng, mix = self._rng, self._mix
        reason = rng.choice(mix.poisons)
        of_complete = reason in COMPLETE_ONLY or not attempt.reported_ms or rng.random() < 0.5
        kind = Kind.COMPLETE if of_complete else Kind.START
        return poisoned(rng, mix, kind, attempt, attempt.event_ms if of_complete else attempt.reported_ms, reason)


class QueueReports:
    """Reports on the queues of FTS instances."""

    def __init__(self, rng: Random, mix: Mix) -> None:
        self._rng = rng
        self._mix = mix
        self._queues = Queues(rng, make_world(rng, mix.links))

    def next_story(self, begin_ms: int) -> Iterator[Sending[QueueReport]]:
        """A look at one instance."""
        rng, mix = self._rng, self._mix
        for report in self._queues.look(begin_ms):
            yield from copies(rng, mix, Kind.QUEUE, report, report.at_ms)
            if rng.random() < mix.poison:
                spoils = OPTIMIZER_SPOILS if report.shape is Shape.OPTIMIZER else STATUS_SPOILS
                shape = report if report.shape is Shape.OPTIMIZER else report._replace(shape=Shape.PROPOSED)
                yield poisoned(rng, mix, Kind.QUEUE, shape, report.at_ms, rng.choice((*BODIES, *spoils)))


class Records:
    """File accesses and third-party copies that xrootd servers tell."""

    def __init__(self, rng: Random, mix: Mix) -> None:
        self._rng = rng
        self._mix = mix
        self._accesses = Accesses(rng, make_world(rng, mix.links))

    def next_story(self, begin_ms: int) -> Iterator[Sending[Access]]:
        """One access."""
        rng, mix = self._rng, self._mix
        access = self._accesses.next_access(begin_ms)
        yield from copies(rng, mix, Kind.ACCESS, access, access.open_ms[1])
        if rng.random() < mix.poison:
            other = self._accesses.next_access(begin_ms)
            # Half of what nobody can use are packets that were to go through a collector first.
            reason = NEEDS_COLLECTOR if rng.random() < 0.5 else rng.choice(reasons(other))
            yield poisoned(rng, mix, Kind.ACCESS, other, other.open_ms[1], reason)


def sendings(seed: int, mix: Mix, messages: int, begin_ms: int, span_ms: int) -> Iterator[AnySending]:
    """Exactly ``messages`` sendings of all families that the mix asks for; stories begin evenly over the span."""
    choice = Random(f"{seed} families")
    transfers = Transfers(Random(seed), Random(f"{seed} states"), mix)
    others: tuple[tuple[float, Family], ...] = (
        (mix.queues, QueueReports(Random(f"{seed} queues"), mix)),
        (mix.records, Records(Random(f"{seed} records"), mix)),
    )
    sent = 0
    while sent < messages:
        family = _pick(choice, transfers, others)
        for sending in family.next_story(begin_ms + span_ms * sent // messages):
            yield sending
            sent += 1
            if sent == messages:
                return


def _pick(rng: Random, usual: Family, others: tuple[tuple[float, Family], ...]) -> Family:
    chance = rng.random()
    for share, family in others:
        if chance < share:
            return family
        chance -= share
    return usual


def _era(rng: Random, mix: Mix) -> Era:
    chance = rng.random()
    if chance >= mix.fts2 + mix.monit:
        return Era.FTS3
    if chance >= mix.fts2:
        return Era.MONIT
    return Era.FTS2_2011 if rng.random() < 0.5 else Era.FTS2_2012
