"""How many requests one caller may make: a bucket of tokens each, which fills again as time passes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from threading import Lock

from pipeline.web.config import Rate
from pipeline.web.problems import Problem

MOST_CALLERS = 10_000
"""From so many on, those are forgotten whose buckets are full again; if all are busy, all start anew."""


class Limiter:
    """Of this process alone: behind several of them a caller may do as much at each. Safe for several threads."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._lock = Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, caller: str) -> None:
        """Count one request; raises Problem 429, which says in how many seconds there is room again."""
        now = self._clock()
        with self._lock:
            if len(self._left) >= MOST_CALLERS and caller not in self._left:
                self._forget(now)
            left = self._filled(caller, now)
            if left >= 1:
                self._left[caller] = (left - 1, now)
                return
            self._left[caller] = (left, now)
        wait_s = math.ceil((1 - left) / self._rate.per_s)
        raise Problem(
            429,
            f"more than {self._rate.burst} requests at once, and {self._rate.per_s:g} a second: wait {wait_s} s",
            headers={"Retry-After": str(wait_s)},
        )

    def _filled(self, caller: str, now: float) -> float:
        left, at = self._left.get(caller, (float(self._rate.burst), now))
        return min(float(self._rate.burst), left + (now - at) * self._rate.per_s)

    def _forget(self, now: float) -> None:
        busy = {caller: known for caller, known in self._left.items() if self._filled(caller, now) < self._rate.burst}
        self._left = busy if len(busy) < MOST_CALLERS else {}
