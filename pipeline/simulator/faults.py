"""What happens to messages on their way: lost, repeated, late, out of order, and poison among them."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from random import Random
from typing import Generic, NamedTuple, TypeVar

from pipeline.simulator.mix import Mix

HOUR_MS = 3_600_000
DISPLACEMENT_MS = 600_000


F = TypeVar("F")


class Kind(Enum):
    """Which message of its facts."""

    START = "start"
    COMPLETE = "complete"
    STATE = "state"
    QUEUE = "queue"
    ACCESS = "access"


class Sending(NamedTuple, Generic[F]):
    """A message that reaches the broker and tells ``facts``; its turn to be published comes at ``turn_ms``.

    ``poison`` is the reason for which it cannot be used, ``""`` for a good one; ``again`` marks repetitions.
    """

    kind: Kind
    facts: F
    received_ms: int
    turn_ms: int
    poison: str = ""
    again: bool = False


def copies(rng: Random, mix: Mix, kind: Kind, facts: F, made_ms: int) -> Iterator[Sending[F]]:
    """A message made at ``made_ms``, and its repetitions."""
    again = False
    while True:
        received_ms = made_ms + 20 + int(rng.random() * 3000)
        if rng.random() < mix.late:
            received_ms += HOUR_MS + int(rng.random() * 7 * HOUR_MS)
        yield Sending(kind, facts, received_ms, turn(rng, mix, received_ms), again=again)
        if rng.random() >= mix.duplicate:
            return
        again = True


def poisoned(rng: Random, mix: Mix, kind: Kind, facts: F, made_ms: int, reason: str) -> Sending[F]:
    """A message made at ``made_ms`` that cannot be used for ``reason``."""
    received_ms = made_ms + 1000
    return Sending(kind, facts, received_ms, turn(rng, mix, received_ms), poison=reason)


def turn(rng: Random, mix: Mix, received_ms: int) -> int:
    """When a message that is received then is published."""
    if rng.random() < mix.displaced:
        return received_ms + int((rng.random() * 2 - 1) * DISPLACEMENT_MS)
    return received_ms
