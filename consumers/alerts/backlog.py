"""Backlog: what waits in brokers and in Kafka is sampled, kept and judged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from consumers.errors import Unreachable
from consumers.kafka.access import KafkaAway
from pipeline.store.backlog import Changes, Sample, record

log = logging.getLogger(__name__)

Ask = Callable[[], Iterable[Sample]]
"""Asks one service what waits in it; raises Unreachable or KafkaAway."""


class Backlog:
    """Not for several threads at once."""

    def __init__(
        self, database_url: str, asks: Sequence[Ask], limit: int, seen: Callable[[Sequence[Sample]], None]
    ) -> None:
        """``seen`` is told the samples of each look."""
        self._url = database_url
        self._asks = asks
        self._limit = limit
        self._seen = seen
        self._silent: set[int] = set()

    def look(self) -> Changes:
        """Sample every service that answers. Raises Unavailable when the samples cannot be kept.

        Of one that does not answer there is no sample: what waits in it is unknown, not 0. Said in the log when it
        begins.
        """
        at, samples = datetime.now(UTC), list[Sample]()
        for number, ask in enumerate(self._asks):
            try:
                samples += ask()
            except (Unreachable, KafkaAway) as error:
                if number not in self._silent:
                    log.warning("nobody knows what waits: %s", error)
                self._silent.add(number)
            else:
                if number in self._silent:
                    log.info("what waits is known again")
                self._silent.discard(number)
        self._seen(samples)
        changes = record(self._url, samples, at, self._limit)
        for word, subjects in (("behind", changes.raised), ("well again", changes.cleared)):
            for subject in subjects:
                log.warning("%s is %s", subject, word)
        return changes
