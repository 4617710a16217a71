"""Whether the bridge moves messages, for its page and its metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from consumers.bridge import stats
from consumers.health import STALLED_S
from consumers.stomp.endpoint import SERVICE
from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry

KAFKA = "Kafka"

Status = Callable[[], Sequence[Mapping[str, Any]]]
"""The counters of every address (``consumers.bridge.stats.LinkStats.as_dict``)."""


class BridgeHealth:
    """Healthy while at least one broker is connected and Kafka takes what comes. May be asked from any thread."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def report(self) -> dict[str, Any]:
        """The state for programs, address by address."""
        links = self._status()
        why = self._why_not(links)
        return {"healthy": why is None, "why": why, "brokers": list(links)}

    def why_not_ready(self) -> str | None:
        """Why nothing can come in now; None when it can."""
        links = self._status()
        return None if _is_connected(links) else _nobody(links)

    def measure(self, telemetry: Telemetry) -> None:
        """Tells the metrics how it is."""
        links = self._status()
        telemetry.set(metrics.HEALTHY, self._why_not(links) is None)
        telemetry.set(metrics.SERVICE_UP, _is_connected(links), SERVICE)
        telemetry.set(metrics.SERVICE_UP, _oldest_s(links) <= STALLED_S, KAFKA)
        for state in metrics.BRIDGE_CONNECTIONS.known:
            telemetry.set(metrics.BRIDGE_CONNECTIONS, sum(link["state"] == state for link in links), state)
        telemetry.set(metrics.BRIDGE_UNACKED, sum(link["unacknowledged"] for link in links))
        telemetry.set(metrics.BRIDGE_UNACKED_BYTES, sum(link["unacknowledged_bytes"] for link in links))
        telemetry.set(metrics.BRIDGE_OLDEST, _oldest_s(links))

    def _why_not(self, links: Sequence[Mapping[str, Any]]) -> str | None:
        if not _is_connected(links):
            return _nobody(links)
        oldest_s = _oldest_s(links)
        return f"{KAFKA} has not taken a message for {oldest_s:.0f} s" if oldest_s > STALLED_S else None


def _is_connected(links: Sequence[Mapping[str, Any]]) -> bool:
    return any(link["state"] == stats.CONNECTED for link in links)


def _oldest_s(links: Sequence[Mapping[str, Any]]) -> float:
    return max((float(link["oldest_unacknowledged_s"]) for link in links), default=0.0)


def _nobody(links: Sequence[Mapping[str, Any]]) -> str:
    why = "; ".join(link["last_error"] for link in links if link["last_error"])
    return f"no broker is connected{f': {why}' if why else ''}"
