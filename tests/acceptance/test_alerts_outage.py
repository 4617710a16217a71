"""Kafka goes away: the rules are judged all the same, because queues fill just then; and the process still ends."""

from __future__ import annotations

from contextlib import closing
from functools import partial

import pytest

from pipeline.devstack.plan import KAFKA
from pipeline.devstack.stack import Stack
from tests.support.commands import Commands
from tests.support.database import Database
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack


def test_rules_are_judged_without_kafka_and_the_process_ends(transferscope: Commands, breakable: Stack) -> None:
    alerts = transferscope.start("alerts", settings={"TRANSFERSCOPE_ALERTS_SAMPLE_SECONDS": "2"})
    with closing(Database(transferscope.database_url)) as database:

        def judged_after(moment: str) -> bool:
            return bool(database.ask("SELECT 1 FROM report.heartbeat WHERE beat_at > %s", [moment]))

        eventually(lambda: judged_after("-infinity"), 90)
        breakable.stop(KAFKA)
        for _ in range(2):
            now = database.value("SELECT clock_timestamp()::text")
            eventually(partial(judged_after, now), 60)
    assert alerts.health()["healthy"]
    alerts.end()
