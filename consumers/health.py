"""Whether a process does its work: for its health page, its metrics and its log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry

log = logging.getLogger(__name__)

STALLED_S = 60.0
"""Without work that was finished, and without an idle moment, for so long: unhealthy."""


class Health:
    """What happened, told by whoever works; may be asked from any thread. ``clock`` gives seconds that only rise."""

    stalled = "nothing was done for {:.0f} s"
    """What it is to be told when it is silent for too long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._troubles: dict[str, str] = {}
        self._answered: set[str] = set()
        self._outages: dict[str, int] = {}
        self._alive_at = clock()

    def idle(self) -> None:
        """It works, or nothing is to be done and the services answer."""
        self._alive_at = self._clock()

    def trouble(self, service: str, why: str) -> None:
        """A service is away. Said in the log when it begins."""
        if service not in self._troubles:
            log.warning("%s; waiting for it", why)
            self._outages[service] = self._outages.get(service, 0) + 1
        self._troubles[service] = why

    def well(self, service: str) -> None:
        """The service answers."""
        self._answered.add(service)
        if self._troubles.pop(service, None) is not None:
            log.info("%s is back", service)

    @property
    def has_trouble(self) -> bool:
        """Whether a service is away."""
        return bool(self._troubles)

    def why_not(self) -> str | None:
        """Why the process is not healthy; None when it is."""
        if troubles := list(self._troubles.values()):
            return "; ".join(troubles)
        silent_s = self._clock() - self._alive_at
        return self.stalled.format(silent_s) if silent_s > STALLED_S else None

    def why_not_ready(self) -> str | None:
        """Why it cannot do its work now; None when it can."""
        if troubles := list(self._troubles.values()):
            return "; ".join(troubles)
        return None if self._answered else "no service that it needs has answered yet"

    def report(self) -> dict[str, Any]:
        """The state for programs."""
        why_not = self.why_not()
        return {"healthy": why_not is None, "why": why_not}

    def measure(self, telemetry: Telemetry) -> None:
        """Tells the metrics how it is."""
        telemetry.set(metrics.HEALTHY, self.why_not() is None)
        for service in list(self._answered | self._troubles.keys()):
            telemetry.set(metrics.SERVICE_UP, service not in self._troubles, service)
        for service, number in list(self._outages.items()):
            telemetry.total(metrics.SERVICE_OUTAGES, number, service)
