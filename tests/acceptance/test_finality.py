"""Windows become final behind real brokers and Kafka: when all is committed, and not while messages wait somewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from consumers.worker.finality import look
from pipeline.cli import settings as configuration
from pipeline.cli.flow_state import what_waits
from pipeline.cli.kafka import kafka_access
from pipeline.simulator import simulate
from pipeline.stages.finality import GRACE_MS
from pipeline.store.finality import Passes
from pipeline.telemetry.telemetry import Telemetry
from schemas.topics import FTS_TRANSFER
from tests.support.commands import Commands
from tests.support.database import Database
from tests.support.publishing import Publisher
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

HOUR = 3_600_000


@pytest.fixture
def database(transferscope: Commands) -> Iterator[Database]:
    with closing(Database(transferscope.database_url)) as database:
        yield database


def pass_over(transferscope: Commands) -> int:
    """What a worker does every minute."""
    settings = configuration.load(None, transferscope.settings)
    return look(
        Passes(transferscope.database_url), kafka_access(settings), lambda: what_waits(settings), Telemetry("worker")
    )


def windows(database: Database, is_due: bool) -> list[Any]:
    """``final_at`` of the windows that ended up to where they are final, or of the others."""
    rows = database.ask(
        "SELECT final_at FROM report.link_10m, report.finality WHERE topic = 'fts.transfer'"
        " AND (window_start + interval '10 minutes' <= final_until) = %s",
        [is_due],
    )
    return [final_at for (final_at,) in rows]


def held_by(transferscope: Commands) -> str:
    """As an operator is told, with a queue that nobody reads."""
    said = {final["topic"]: final["held_by"] for final in transferscope.json("status", code=1)["final"]}
    return str(said[FTS_TRANSFER])


def test_windows_are_final_when_all_is_committed_and_again_after_late_rows(
    transferscope: Commands, database: Database
) -> None:
    bridge, worker = transferscope.start("bridge"), transferscope.start("worker")
    transferscope.wait_idle()
    now_ms = time.time_ns() // 1_000_000
    with Publisher(list(simulate(2000, 5, now_ms - 2 * HOUR)), transferscope.settings, rate=2000):
        pass
    transferscope.wait_idle()
    assert pass_over(transferscope) > 0
    due, others = windows(database, True), windows(database, False)
    assert due
    assert others, "the test shows nothing: all of its hour is long past"
    assert None not in due
    assert set(others) == {None}
    until = database.value("SELECT final_until FROM report.finality WHERE topic = 'fts.transfer'")
    assert now_ms - GRACE_MS - 600_000 <= until.timestamp() * 1000 <= time.time() * 1000 - GRACE_MS

    # Late ones wait in the broker: nobody can say that nothing is under way.
    bridge.end()
    with Publisher(list(simulate(200, 6, now_ms - 2 * HOUR)), transferscope.settings, rate=2000):
        pass
    pass_over(transferscope)
    assert "messages wait in Consumer." in held_by(transferscope)
    assert None not in windows(database, True)

    transferscope.start("bridge")
    transferscope.wait_idle()
    assert None in windows(database, True), "the late rows clear their windows"
    eventually(lambda: pass_over(transferscope) >= 0 and None not in windows(database, True))
    worker.end()
