"""Heard or not: per receipt window and source, what became of the messages, and how late they came."""

from __future__ import annotations

from pipeline.stages.windows import BASE_MS
from schemas.histogram import bin_of

RECEIVED, STORED, DUPLICATE, DEAD = range(4)


class SourceDelta:
    """Counts of one source in one receipt window; lateness = receipt time - event time, in s, by histogram bin."""

    __slots__ = ("counts", "last_event_ms", "last_received_ms", "lateness", "lateness_max_s")

    def __init__(self) -> None:
        self.counts = [0, 0, 0, 0]
        self.lateness: dict[int, int] = {}
        self.lateness_max_s: int | None = None
        self.last_event_ms: int | None = None
        self.last_received_ms: int | None = None


class Sources:
    """The deltas of a batch by (source, receipt window)."""

    def __init__(self) -> None:
        self.deltas: dict[tuple[str, int], SourceDelta] = {}

    def note(self, source: str, received_ms: int, outcome: int, event_ms: int | None) -> None:
        """Count one message. ``outcome`` is STORED, DUPLICATE or DEAD; ``event_ms`` None when it has none."""
        where = (source, received_ms - received_ms % BASE_MS)
        delta = self.deltas.get(where)
        if delta is None:
            delta = self.deltas[where] = SourceDelta()
        delta.counts[RECEIVED] += 1
        delta.counts[outcome] += 1
        if delta.last_received_ms is None or received_ms > delta.last_received_ms:
            delta.last_received_ms = received_ms
        if event_ms is not None:
            late_s = (received_ms - event_ms) // 1000 if received_ms > event_ms else 0
            late_bin = bin_of(late_s)
            delta.lateness[late_bin] = delta.lateness.get(late_bin, 0) + 1
            if delta.lateness_max_s is None or late_s > delta.lateness_max_s:
                delta.lateness_max_s = late_s
            if delta.last_event_ms is None or event_ms > delta.last_event_ms:
                delta.last_event_ms = event_ms
