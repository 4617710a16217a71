"""Samples into Kafka's ``broker-depth``, for agents of others; the rules do not wait for it."""

from __future__ import annotations

import json
import logging
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


class Depths:
    """Not for several threads at once."""

    def __init__(self, access: KafkaAccess) -> None:
        self._access = access
        self._is_away = False

    def publish(self, samples: Sequence[Sample], at: datetime) -> None:
        """All samples of that time, acknowledged. What Kafka does not take is left out; that is said when it begins."""
        try:
            feed(self._access, _records(samples, at))
        except KafkaAway as error:
            if not self._is_away:
                log.warning("samples are not published: %s", error)
            self._is_away = True
        else:
            self._is_away = False


def _records(samples: Sequence[Sample], at: datetime) -> Iterator[Record]:
    for sample in samples:
        document = {"sampled_at": at.isoformat(), **sample._asdict()}
        yield Record(BROKER_DEPTH, _BY_KEY, subject(*sample.key), json.dumps(document).encode(), ())
