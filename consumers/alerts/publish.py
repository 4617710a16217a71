"""Samples into Kafka's ``broker-depth``, for agents of others; the rules do not wait for it."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime

from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.kafka.feed import feed
from consumers.kafka.producer import Record
from pipeline.stages.backlog import Sample, subject
from schemas.topics import BROKER_DEPTH

log = logging.getLogger(__name__)

_BY_KEY = -1
"""The partition is that of the key, so that all samples of a queue share one, in order."""


KEPT_LOOKS = 30
"""Samples of so many looks wait for a Kafka that is away or slow, ten minutes of them; then the oldest are left out."""


class Depths:
    """``add`` and ``publish`` may run in two threads, each of them in one."""

    def __init__(self, access: KafkaAccess) -> None:
        self._access = access
        self._is_away = False
        self._waiting: deque[tuple[datetime, Sequence[Sample]]] = deque(maxlen=KEPT_LOOKS)

    def add(self, samples: Sequence[Sample], at: datetime) -> None:
        """To be published next: all samples of that time, which is later than those of before."""
        self._waiting.append((at, samples))

    def publish(self) -> None:
        """All that waits, acknowledged. What Kafka does not take waits on; that is said when it begins.

        A sample may then be published twice.
        """
        looks = list(self._waiting)
        try:
            feed(self._access, (record for at, samples in looks for record in _records(samples, at)))
        except KafkaAway as error:
            if not self._is_away:
                log.warning("samples are not published: %s", error)
            self._is_away = True
            return
        self._is_away = False
        while self._waiting and looks and self._waiting[0][0] <= looks[-1][0]:
            self._waiting.popleft()


def _records(samples: Sequence[Sample], at: datetime) -> Iterator[Record]:
    for sample in samples:
        document = {"sampled_at": at.isoformat(), **sample._asdict()}
        yield Record(BROKER_DEPTH, _BY_KEY, subject(*sample.key), json.dumps(document).encode(), ())
