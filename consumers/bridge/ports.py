"""What a link needs of Kafka's side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from consumers.kafka.places import Place
from consumers.kafka.producer import Record


class Shipment(Protocol):
    """A batch on its way."""

    records: Sequence[Record]
    places: list[Place]
    """Where Kafka has put them; empty unless log or traces tell of each batch."""

    @property
    def has_arrived(self) -> bool:
        """Whether every record is safe; once true it stays so."""


class Shipper(Protocol):
    """Used by one thread. Nothing of it raises because Kafka is away: shipments then do not arrive."""

    def ship(self, records: Sequence[Record]) -> Shipment:
        """Send a batch; several may be under way."""

    def serve(self, timeout_s: float) -> None:
        """Hear how the shipments fare: returns with the first news, at the latest after that time."""

    def abandon(self) -> None:
        """Forget what is under way; it may or may not arrive."""
