"""Which windows are final, looked at now and then as a service of the worker (``pipeline.stages.finality``)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from mode import Service

from consumers.kafka import groups
from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.thread import WorkThread
from consumers.worker.config import GROUP, TOPICS
from pipeline.stages.finality import Idle, Place, watermarks
from pipeline.store.finality import Passes
from pipeline.store.session import Unavailable
from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry

log = logging.getLogger(__name__)

EVERY_S = 60.0

QueuesLook = Callable[[], str]
"""Asks the brokers: "" when every virtual queue of ours is there and empty, else what keeps that from being said."""


def nobody_asks() -> str:
    """For a worker that knows no broker."""
    return "nobody asks the brokers whether messages wait in their queues: broker_api is not set"


def look(passes: Passes, kafka: KafkaAccess, queues: QueuesLook, telemetry: Telemetry) -> int:
    """Look at brokers, then Kafka, then declare windows final; how many ends. Raises Unavailable, KafkaAway.

    A message leaves its queue only when Kafka has it, and counts as lag until it is committed: so in this order nothing
    that was received before the first look can be missed. The lag goes to the metrics too.
    """
    at_ms = time.time_ns() // 1_000_000
    why = queues()
    lags = {Place(*place): offsets.lag for place, offsets in groups.lag(kafka, GROUP, TOPICS).items()}
    for topic in TOPICS:
        telemetry.set(metrics.WORKER_GROUP_LAG, sum(lag for place, lag in lags.items() if place.topic == topic), topic)
    idle = Idle(None if why else at_ms, lags, why)
    return passes.run(watermarks(passes.progress(), idle))


class Finality(Service):
    """Looks every minute, in a thread of its own. Of several workers one at a time declares windows final."""

    logger = logging.getLogger("faust.transferscope")

    def __init__(self, database_url: str, kafka: KafkaAccess, queues: QueuesLook, telemetry: Telemetry) -> None:
        super().__init__()
        self._passes = Passes(database_url)
        self._kafka = kafka
        self._queues = queues
        self._telemetry = telemetry
        self._thread = WorkThread("finality")

    @Service.timer(EVERY_S)
    async def _look(self) -> None:
        try:
            await self._thread.run(lambda: look(self._passes, self._kafka, self._queues, self._telemetry))
        except (Unavailable, KafkaAway) as error:
            self._telemetry.forget(metrics.WORKER_GROUP_LAG)
            log.warning("windows become final another time: %s", error)
