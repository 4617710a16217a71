"""What the bridge has done, counted for each connection; written by its thread, read by whoever asks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from consumers.bridge.ledger import Backlog

CONNECTING = "connecting"
CONNECTED = "connected"
STOPPED = "stopped"


@dataclass
class LinkStats:
    """One address of a broker. ``received`` counts redeliveries too, ``acked`` only what the broker need not keep."""

    broker: str
    state: str = CONNECTING
    received: int = 0
    published: int = 0
    acked: int = 0
    bytes: int = 0
    too_large: int = 0
    connects: int = 0
    last_error: str = ""
    backlog: Backlog = field(default=Backlog(0, 0, 0.0))

    @property
    def reconnects(self) -> int:
        return max(0, self.connects - 1)

    def as_dict(self) -> dict[str, Any]:
        """All of it under names that are kept, for machines."""
        values = asdict(self)
        values.pop("backlog")
        return {
            **values,
            "reconnects": self.reconnects,
            "unacknowledged": self.backlog.messages,
            "unacknowledged_bytes": self.backlog.size,
            "oldest_unacknowledged_s": round(self.backlog.oldest_s, 3),
        }

    def line(self) -> str:
        """All that matters on one line, for people."""
        return (
            f"{self.broker}: {self.state}, {self.received} received, {self.published} published, {self.acked} "
            f"acknowledged, {self.backlog.messages} waiting (oldest {self.backlog.oldest_s:.1f} s), "
            f"{self.reconnects} reconnects"
        )
