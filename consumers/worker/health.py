"""Whether the worker does its work, and what became of the messages, for the health page and the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from consumers import health
from pipeline.ingest import BatchResult


class Health(health.Health):
    """The health of a process that commits batches."""

    stalled = "no batch was committed for {:.0f} s"

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._committed_at: float | None = None
        self._totals = BatchResult(0, 0, 0, 0)
        self._said = (self._totals, self._alive_at)

    def committed(self, result: BatchResult) -> None:
        """A batch is in Postgres."""
        self._totals = BatchResult(*(a + b for a, b in zip(self._totals, result, strict=True)))
        self._committed_at = self._alive_at = self._clock()

    def report(self) -> dict[str, Any]:
        """The state for programs; ages in seconds, None before the first commit."""
        age = None if self._committed_at is None else round(self._clock() - self._committed_at, 1)
        return {**super().report(), "last_commit_age_s": age, **self._totals._asdict()}

    def line(self) -> str:
        """One line of what happened since the last one."""
        before, since = self._said
        now = self._clock()
        self._said = (self._totals, now)
        new = BatchResult(*(a - b for a, b in zip(self._totals, before, strict=True)))
        passed = max(now - since, 0.001)
        why_not = self.why_not()
        state = "healthy" if why_not is None else f"unhealthy: {why_not}"
        return (
            f"{new.received} messages in {passed:.0f} s ({new.received / passed:.0f}/s): {new.stored} stored,"
            f" {new.duplicate} duplicate, {new.dead} dead letters; {state}"
        )
