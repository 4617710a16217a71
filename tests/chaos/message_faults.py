"""Messages that come again, that nobody can use, that tell a wrong time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random

from consumers.kafka import groups
from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.worker.config import GROUP
from tests.chaos import traffic
from tests.chaos.crew import WORKERS
from tests.chaos.scene import Play, Scene
from tests.chaos.schedule import Fault
from tests.chaos.site import BOOTSTRAP
from tests.support.waiting import eventually


@contextmanager
def again_with_new_ids(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
    scene.traffic.publish(scene.traffic.published(), rng)
    yield


@contextmanager
def again_with_the_same_ids(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
    kafka = KafkaAccess((scene.site.settings[BOOTSTRAP],))

    def forgotten() -> bool:
        with suppress(KafkaAway):  # somebody who was killed counts as a member until his session ends
            groups.forget_group(kafka, GROUP)
            return True
        return False

    scene.crew.scale(0)
    eventually(forgotten, 30)
    scene.crew.scale(WORKERS)
    yield


@contextmanager
def poison_burst(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
    scene.traffic.publish(traffic.poison(rng), rng)
    yield


@contextmanager
def producer_clocks(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
    scene.traffic.publish(traffic.skewed(rng), rng)
    yield


PLAYS: dict[str, Play] = {
    "again-new-ids": again_with_new_ids,
    "again-same-ids": again_with_the_same_ids,
    "poison-burst": poison_burst,
    "producer-clocks": producer_clocks,
}
