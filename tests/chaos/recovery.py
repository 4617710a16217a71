"""How long after a dependency is back messages move again, everywhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from consumers.bridge.depth import queue_depths
from consumers.errors import Unreachable
from consumers.kafka import groups
from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.kafka.groups import Offsets
from consumers.worker.config import GROUP, TOPICS
from tests.chaos.scene import Scene
from tests.chaos.site import BOOTSTRAP, BROKER_API, Broker

LIMIT_S = 30.0
"""By then it must have happened."""
_GIVE_UP_S = 90.0
_POLL_S = 0.3


class _Look(NamedTuple):
    """Messages that each broker has got rid of, and what the workers have committed."""

    acknowledged: list[int]
    offsets: Mapping[tuple[str, int], Offsets]


def measure(scene: Scene) -> float:
    """Seconds from now until each broker is rid of further messages and each partition in which some wait has moved on.

    The next share of the traffic comes meanwhile. AssertionError when it takes three times as long as it may.
    """
    began = time.monotonic()
    before: _Look | None = None
    while True:
        try:
            now = _look(scene)
        except (KafkaAway, Unreachable):  # it answers some seconds after it has come back
            now = None
        if before is None and now is not None:
            before = now
            scene.traffic.go_on()
        took_s = time.monotonic() - began
        if before and now and _has_moved(before, now):
            return round(took_s, 1)
        assert took_s < _GIVE_UP_S, (
            f"nothing moves {took_s:.0f} s after the end of the faults: {before} then, {now} now"
        )
        scene.wait(_POLL_S)


def _look(scene: Scene) -> _Look:
    offsets = groups.lag(KafkaAccess((scene.site.settings[BOOTSTRAP],)), GROUP, TOPICS)
    return _Look([_acknowledged(broker) for broker in scene.site.brokers], offsets)


def _acknowledged(broker: Broker) -> int:
    name = broker.settings["TRANSFERSCOPE_BROKER_API_USER"]
    password = Path(broker.settings["TRANSFERSCOPE_BROKER_API_PASSWORD_FILE"]).read_text().strip()
    return sum(queue.dequeued for queue in queue_depths(broker.settings[BROKER_API], name, password))


def _has_moved(before: _Look, now: _Look) -> bool:
    bridged = all(later > earlier for earlier, later in zip(before.acknowledged, now.acknowledged, strict=True))
    waited = [place for place, offsets in before.offsets.items() if offsets.lag]
    return bridged and all(_committed(now.offsets[place]) > _committed(before.offsets[place]) for place in waited)


def _committed(offsets: Offsets) -> int:
    return -1 if offsets.committed is None else offsets.committed
