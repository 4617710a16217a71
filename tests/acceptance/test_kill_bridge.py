"""The bridge is killed again and again while it works."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.support.commands import Commands
from tests.support.kafka_watch import KafkaWatch
from tests.support.publishing import Publisher
from tests.support.recounted import assert_recounted, rough_traffic

pytestmark = pytest.mark.stack

SEED = 22
MESSAGES = 6000
RATE = 1500
KILLS = 5


def test_a_bridge_killed_at_random_moments_loses_and_doubles_nothing(transferscope: Commands, tmp_path: Path) -> None:
    rng = Random(SEED)
    messages = rough_traffic(MESSAGES, SEED)
    worker, bridge = transferscope.start("worker"), transferscope.start("bridge")
    transferscope.wait_idle()
    with KafkaWatch(transferscope.settings["TRANSFERSCOPE_KAFKA_BOOTSTRAP"]) as kafka:
        with Publisher(messages, transferscope.settings, RATE):
            for _ in range(KILLS):
                # It is killed while it moves the messages that came while it was away.
                kafka.await_records(kafka.records() + 1 + rng.randrange(MESSAGES // (KILLS + 2)))
                bridge.kill()
                bridge = transferscope.start("bridge")
        transferscope.wait_idle()
        moved = kafka.records()
    bridge.end()
    worker.end()
    assert_recounted(messages, tmp_path, transferscope.database_url, note=f"seed {SEED}, {moved} records in Kafka")
    assert moved > MESSAGES, "no message was under way at any kill: the test shows nothing"
