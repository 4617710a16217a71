"""Poison messages end for the reason that they were made for, whichever form they take."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.simulator import Mix, simulate
from pipeline.simulator.bodies import TOPICS
from pipeline.simulator.faults import Kind
from pipeline.simulator.mix import POISONS
from pipeline.simulator.poison import poison_body
from pipeline.simulator.script import Attempt, Era, Script
from pipeline.simulator.world import make_world
from tests.support.oracle_messages import Unusable, read_message

T = 1_795_312_800_000
OF_COMPLETES = ("unknown_state", "bad_bytes")


def attempt(seed: int, noise: int) -> Attempt:
    rng = Random(seed)
    made = next(Script(rng, make_world(rng)).next_file(T, Era.FTS3))
    return made._replace(file=made.file._replace(noise=noise))


@pytest.mark.parametrize("reason", POISONS)
@given(seed=st.integers(0, 200), noise=st.integers(0, 2**64 - 1), kind=st.sampled_from([Kind.START, Kind.COMPLETE]))
def test_a_poison_message_cannot_be_used_for_its_reason(reason: str, seed: int, noise: int, kind: Kind) -> None:
    made = attempt(seed, noise)
    if reason in OF_COMPLETES or not made.reported_ms:
        kind = Kind.COMPLETE
    body = poison_body(kind, made, reason)
    with pytest.raises(Unusable) as caught:
        read_message(TOPICS[kind], body, made.event_ms, "f:1")
    assert caught.value.args == (reason,)


def test_poison_is_told_in_the_shares_asked_for() -> None:
    truth = simulate(5000, seed=1, begin_ms=T, mix=Mix(poison=0.1, poisons=("no_id", "future"))).truth()
    assert set(truth.dead) == {"no_id", "future"}
    assert 150 < sum(truth.dead.values()) < 350
