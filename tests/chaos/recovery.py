"""How long after a dependency is back messages move again, everywhere."""

from __future__ import annotations

import time
from collections.abc import Mapping

from consumers.kafka import admin
from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.kafka.admin import Offsets
from consumers.worker.config import GROUP, TOPICS
from tests.chaos.scene import Scene
from tests.chaos.site import BOOTSTRAP

LIMIT_S = 30.0
"""By then it must have happened."""
_GIVE_UP_S = 90.0
_POLL_S = 0.2

Places = Mapping[tuple[str, int], Offsets]


def measure(scene: Scene) -> float:
    """Seconds from now until something new is in Kafka and each partition in which messages wait now has moved on.

    AssertionError when that takes three times as long as it may.
    """
    kafka = KafkaAccess((scene.site.settings[BOOTSTRAP],))
    began = time.monotonic()
    before: Places | None = None
    while True:
        try:
            now = admin.lag(kafka, GROUP, TOPICS)
        except KafkaAway:  # it answers some seconds after it has come back
            now = None
        before = before or now
        took_s = time.monotonic() - began
        if before and now and _has_moved(before, now, more_comes=scene.traffic.is_publishing):
            return took_s
        assert took_s < _GIVE_UP_S, (
            f"nothing moves {took_s:.0f} s after the end of the faults: {before} then, {now} now"
        )
        scene.wait(_POLL_S)


def _has_moved(before: Places, now: Places, *, more_comes: bool) -> bool:
    came = sum(place.end for place in now.values()) > sum(place.end for place in before.values())
    waited = [place for place, offsets in before.items() if offsets.lag]
    return (came or not more_comes) and all(_committed(now[place]) > _committed(before[place]) for place in waited)


def _committed(offsets: Offsets) -> int:
    return -1 if offsets.committed is None else offsets.committed
