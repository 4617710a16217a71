"""A link that breaks raises an alert within a minute and clears it when it is well: relay, Kafka, agent, store.

What waits is sampled besides.
"""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Commands
from tests.support.database import Database
from tests.support.lines import COMPLETE, complete, line, write
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

MINUTE = 60_000
HOUR = 60 * MINUTE
SUBJECT = "cms eoscms.cern.ch → storm.cnaf.infn.it"


def transfers(first: int, number: int, ended_ms: int, state: str, **fields: Any) -> list[str]:
    """Lines of so many completes that ended at that time."""
    return [
        line(COMPLETE, complete(first + n, ended_ms, t_final_transfer_state=state, **fields), ended_ms + 1000)
        for n in range(number)
    ]


def test_a_link_that_breaks_is_told_and_so_is_its_recovery(transferscope: Commands, tmp_path: Path) -> None:
    now_ms = time.time_ns() // 1_000_000
    other = {"dst_hostname": "well.example.org"}
    week = [each for day in range(1, 4) for each in transfers(day * 100, 60, now_ms - day * 24 * HOUR, "Ok")]
    transferscope("replay", write(tmp_path / "week.jsonl", week))
    alerts = transferscope.start("alerts", "--verbose")
    alerts.await_word("Worker ready", 60)
    transferscope.start("relay")
    broken = transfers(1000, 30, now_ms - 5 * MINUTE, "Error") + transfers(2000, 30, now_ms - MINUTE, "Ok", **other)
    transferscope("replay", write(tmp_path / "broken.jsonl", broken))

    (alert,) = eventually(lambda: transferscope.json("query", "alerts"), 60)
    assert (alert["rule"], alert["subject"], alert["cleared_at"]) == ("link-health", SUBJECT, None)
    assert (alert["value"], alert["threshold"]) == (0.0, 1.0)
    assert alert["detail"].startswith("30 of 30 transfers failed in the last hour")
    assert alerts.health()["healthy"]

    transferscope("replay", write(tmp_path / "well.jsonl", transfers(3000, 200, now_ms - MINUTE, "Ok")))
    eventually(lambda: transferscope.json("query", "alerts")[0]["cleared_at"], 60)
    assert len(transferscope.json("query", "alerts")) == 1
    with closing(Database(transferscope.database_url)) as database:
        waiting = "SELECT kind, name, depth, consumers FROM report.backlog ORDER BY sampled_at, kind, name"
        samples = eventually(lambda: database.ask(waiting), 60)
    assert ("group", "transferscope-worker", 0, 0) in samples
    queues = [sample for sample in samples if sample[0] == "queue"]
    assert queues, "nobody started a bridge: they are told all the same, as unknown"
    assert all((depth, consumers) == (None, None) for _, _, depth, consumers in queues)
    alerts.end()
