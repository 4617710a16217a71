"""What happens to messages on their way: lost, repeated, late, out of order, and poison among them."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from random import Random
from typing import NamedTuple

from pipeline.simulator.mix import Mix
from pipeline.simulator.script import Attempt, Era, Script

HOUR_MS = 3_600_000
DISPLACEMENT_MS = 600_000


class Kind(Enum):
    """Which message of an attempt."""

    START = "start"
    COMPLETE = "complete"


class Sending(NamedTuple):
    """A message that reaches the broker; its turn to be published comes at ``turn_ms``.

    ``poison`` is the reason for which it cannot be used, ``""`` for a good one; ``again`` marks repetitions.
    """

    kind: Kind
    attempt: Attempt
    received_ms: int
    turn_ms: int
    poison: str = ""
    again: bool = False


def sendings(rng: Random, script: Script, mix: Mix, messages: int, begin_ms: int, span_ms: int) -> Iterator[Sending]:
    """Exactly ``messages`` sendings in the order of the script; files begin evenly over the span.

    All of an attempt's sendings follow each other, the start's first.
    """
    sent = 0
    while sent < messages:
        for sending in _of_next_file(rng, script, mix, begin_ms + span_ms * sent // messages):
            yield sending
            sent += 1
            if sent == messages:
                return


def _of_next_file(rng: Random, script: Script, mix: Mix, begin_ms: int) -> Iterator[Sending]:
    for attempt in script.next_file(begin_ms, _era(rng, mix)):
        if attempt.reported_ms and rng.random() >= mix.missing_start:
            yield from _copies(rng, mix, Kind.START, attempt, attempt.reported_ms)
        if rng.random() >= mix.missing_complete:
            yield from _copies(rng, mix, Kind.COMPLETE, attempt, attempt.event_ms)
        if rng.random() < mix.poison:
            yield _poison(rng, mix, next(script.next_file(begin_ms, Era.FTS3)))


def _era(rng: Random, mix: Mix) -> Era:
    chance = rng.random()
    if chance >= mix.fts2 + mix.monit:
        return Era.FTS3
    if chance >= mix.fts2:
        return Era.MONIT
    return Era.FTS2_2011 if rng.random() < 0.5 else Era.FTS2_2012


def _copies(rng: Random, mix: Mix, kind: Kind, attempt: Attempt, made_ms: int) -> Iterator[Sending]:
    again = False
    while True:
        received_ms = made_ms + 20 + int(rng.random() * 3000)
        if rng.random() < mix.late:
            received_ms += HOUR_MS + int(rng.random() * 7 * HOUR_MS)
        yield Sending(kind, attempt, received_ms, _turn(rng, mix, received_ms), again=again)
        if rng.random() >= mix.duplicate:
            return
        again = True


def _turn(rng: Random, mix: Mix, received_ms: int) -> int:
    if rng.random() < mix.displaced:
        return received_ms + int((rng.random() * 2 - 1) * DISPLACEMENT_MS)
    return received_ms


def _poison(rng: Random, mix: Mix, attempt: Attempt) -> Sending:
    """Only a complete has a final state and bytes, and a transfer that was cancelled before its start has no start."""
    reason = rng.choice(mix.poisons)
    of_complete = reason in ("unknown_state", "bad_bytes") or not attempt.reported_ms or rng.random() < 0.5
    kind = Kind.COMPLETE if of_complete else Kind.START
    received_ms = (attempt.event_ms if of_complete else attempt.reported_ms) + 1000
    return Sending(kind, attempt, received_ms, _turn(rng, mix, received_ms), poison=reason)
