"""How far the store is in each partition, and what of it Kafka has not been told yet."""

from __future__ import annotations

from collections.abc import Mapping

from consumers.kafka.consumer import Partition


class Ledger:
    """Next offsets by partition. Only batches that are committed in Postgres are written into it."""

    def __init__(self) -> None:
        self._stored: dict[Partition, int] = {}
        self._told: dict[Partition, int] = {}

    @property
    def stored(self) -> Mapping[Partition, int]:
        """The offset behind the last stored message of each partition."""
        return self._stored

    def store(self, next_offsets: Mapping[Partition, int]) -> None:
        """A batch that ends at these offsets is in Postgres."""
        self._stored.update(next_offsets)

    def untold(self) -> dict[Partition, int]:
        """What Kafka does not know yet."""
        return {place: offset for place, offset in self._stored.items() if self._told.get(place) != offset}

    def tell(self, next_offsets: Mapping[Partition, int]) -> None:
        """Kafka knows these now."""
        self._told.update(next_offsets)

    def forget(self) -> None:
        """The partitions are given out anew: how far another worker brings them is not known here."""
        self._stored.clear()
        self._told.clear()
