"""The health document of the alerter: whether it watches, and whether it can tell somebody."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from consumers.alerts.notify import Channel
from consumers.health import STALLED_S, Health
from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry


class AlertsHealth(Health):
    """``channels`` that cannot tell anybody are named, and do not make the process unhealthy: a new one could not."""

    def __init__(self, channels: Sequence[Channel], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._channels = channels
        self._now = clock
        self._ran_at = clock()
        self.last_run_timestamp_s: float | None = None
        """When the rules were last judged, in seconds since the epoch; None: not yet."""

    def ran(self) -> None:
        """The rules were judged just now."""
        self.last_run_timestamp_s = time.time()
        self._ran_at = self._now()

    def why_not(self) -> str | None:
        """Why nobody watches; None when somebody does."""
        away = super().why_not() if self.has_trouble else None
        silent_s = self._now() - self._ran_at
        return away or (f"no rule was judged for {silent_s:.0f} s" if silent_s > STALLED_S else None)

    def report(self) -> dict[str, Any]:
        why_not = self.why_not()
        return {
            "healthy": why_not is None,
            "why": why_not,
            "last_run_timestamp_s": self.last_run_timestamp_s,
            "channels": {channel.name: channel.why for channel in self._channels},
        }

    def measure(self, telemetry: Telemetry) -> None:
        """Tells the metrics how it is."""
        super().measure(telemetry)
        if self.last_run_timestamp_s is not None:
            telemetry.set(metrics.ALERTS_LAST_RUN, self.last_run_timestamp_s)
        for channel in self._channels:
            telemetry.set(metrics.ALERTS_CHANNEL_UP, channel.why is None, channel.name)
