"""A caller has a bucket of its own, which fills again with time, and never gets more than what is in it."""

from __future__ import annotations

import random

import pytest

from pipeline.web import limits
from pipeline.web.config import Rate
from pipeline.web.limits import Limiter
from pipeline.web.problems import Problem


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def allowed(limiter: Limiter, caller: str) -> bool:
    try:
        limiter.take(caller)
    except Problem:
        return False
    return True


def test_a_burst_and_then_the_rate() -> None:
    clock = Clock()
    limiter = Limiter(Rate(per_s=2, burst=5), clock)
    assert [allowed(limiter, "a") for _ in range(7)] == [True] * 5 + [False] * 2
    assert allowed(limiter, "b"), "another caller has a bucket of its own"
    clock.now += 1
    assert [allowed(limiter, "a") for _ in range(3)] == [True, True, False]
    clock.now += 3600
    assert [allowed(limiter, "a") for _ in range(6)] == [True] * 5 + [False]


def test_who_waits_as_long_as_is_said_gets_through() -> None:
    clock = Clock()
    limiter = Limiter(Rate(per_s=0.3, burst=1), clock)
    limiter.take("a")
    with pytest.raises(Problem) as refused:
        limiter.take("a")
    assert refused.value.status == 429
    clock.now += int(refused.value.headers["Retry-After"])
    limiter.take("a")


def test_nobody_gets_more_than_burst_and_rate() -> None:
    clock, rng = Clock(), random.Random(7)
    limiter = Limiter(Rate(per_s=5, burst=10), clock)
    served = 0
    for _ in range(2000):
        clock.now += rng.expovariate(20)
        served += allowed(limiter, "a")
    passed = clock.now - 1000
    assert passed * 5 * 0.95 < served <= 10 + passed * 5


def test_callers_that_rested_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_CALLERS", 3)
    clock = Clock()
    limiter = Limiter(Rate(per_s=1, burst=2), clock)
    for caller in "abc":
        limiter.take(caller)
    clock.now += 0.5
    limiter.take("c")
    clock.now += 0.5
    limiter.take("d")  # a and b are full again
    assert set(limiter._left) == {"c", "d"}
    assert [allowed(limiter, "c") for _ in range(2)] == [True, False]
