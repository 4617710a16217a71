"""How long to wait before the next attempt."""

from __future__ import annotations

import random

_FIRST_S = 0.5
_LONGEST_S = 10.0


class Backoff:
    """Waits that double up to 10 s, each with up to half of it taken off, so that workers do not come in step."""

    def __init__(self) -> None:
        self._wait_s = _FIRST_S

    def next_s(self) -> float:
        """The next wait."""
        wait_s, self._wait_s = self._wait_s, min(self._wait_s * 2, _LONGEST_S)
        return wait_s * random.uniform(0.5, 1)

    def reset(self) -> None:
        """It worked: the next failure waits shortly again."""
        self._wait_s = _FIRST_S
