"""Whether the worker does its work, for the health page and the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from pipeline.ingest import BatchResult

log = logging.getLogger(__name__)

STALLED_S = 60.0
"""Without a commit, and without an idle moment in which both services answered, for so long: unhealthy."""


class Health:
    """What happened, written by the loop. ``clock`` gives seconds that only rise."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._troubles: dict[str, str] = {}
        self._alive_at = clock()
        self._committed_at: float | None = None
        self._totals = BatchResult(0, 0, 0, 0)
        self._said = (self._totals, self._alive_at)

    def committed(self, result: BatchResult) -> None:
        """A batch is in Postgres."""
        self._totals = BatchResult(*(a + b for a, b in zip(self._totals, result, strict=True)))
        self._committed_at = self._alive_at = self._clock()

    def idle(self) -> None:
        """Nothing waits to be read, and the services answer."""
        self._alive_at = self._clock()

    def trouble(self, service: str, why: str) -> None:
        """A service is away. Said in the log when it begins."""
        if service not in self._troubles:
            log.warning("%s; waiting for it", why)
        self._troubles[service] = why

    def well(self, service: str) -> None:
        """The service answers."""
        if self._troubles.pop(service, None) is not None:
            log.info("%s is back", service)

    @property
    def has_trouble(self) -> bool:
        """Whether a service is away."""
        return bool(self._troubles)

    def why_not(self) -> str | None:
        """Why the worker is not healthy; None when it is."""
        if self._troubles:
            return "; ".join(self._troubles.values())
        silent_s = self._clock() - self._alive_at
        return f"no batch was committed for {silent_s:.0f} s" if silent_s > STALLED_S else None

    def report(self) -> dict[str, Any]:
        """The state for programs; ages in seconds, None before the first commit."""
        why_not = self.why_not()
        age = None if self._committed_at is None else round(self._clock() - self._committed_at, 1)
        return {"healthy": why_not is None, "why": why_not, "last_commit_age_s": age, **self._totals._asdict()}

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
