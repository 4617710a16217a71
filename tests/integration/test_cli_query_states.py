"""File states from the shell: counts by state, and how long active ones had waited and been staged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.fts_messages import MINUTE, SECOND, TOPIC_OF, T, state_fields
from tests.support.lines import line, write
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

WAITS_S = [*range(10, 100, 10), 5000]


@pytest.fixture
def traffic(shell: Shell, tmp_path: Path) -> Shell:
    """Ten files that became active after known waits, five a window; three finished; one was staged for 70 s."""
    topic = TOPIC_OF["fts.state"]
    lines = []
    for number, wait_s in enumerate(WAITS_S):
        at = T + number % 2 * 10 * MINUTE
        fields = state_fields(file_id=number, timestamp=at, submit_time=at - wait_s * SECOND)
        if wait_s == 90:
            fields |= {"staging": True, "staging_start": at - 80 * SECOND, "staging_finished": at - 10 * SECOND}
        lines.append(line(topic, json.dumps(fields), at))
        if number < 3:
            lines.append(line(topic, json.dumps(state_fields(file_id=number, timestamp=at, file_state="FINISHED")), at))
    shell("replay", write(tmp_path / "states.jsonl", lines))
    return shell


def test_windows_have_counts_by_state_and_waits_of_active_ones(traffic: Shell) -> None:
    rows = traffic.json("query", "states")
    assert [(row["window_start"][11:16], row["state"], row["count"]) for row in rows] == [
        ("02:10", "ACTIVE", 5),
        ("02:10", "FINISHED", 1),
        ("02:00", "ACTIVE", 5),
        ("02:00", "FINISHED", 2),
    ]
    waits = [10, 30, 50, 70, 10]  # s of the even ones; the last had become ready when its staging ended
    assert rows[2]["wait_mean"] == sum(waits) * SECOND / 5
    assert (rows[2]["wait_min"], rows[2]["wait_max"]) == (10 * SECOND, 70 * SECOND)
    assert (rows[2]["staging_count"], rows[2]["staging_mean"]) == (1, 70 * SECOND)
    assert (rows[1]["wait_count"], rows[1]["wait_mean"]) == (0, None)


def test_percentiles_come_from_added_histograms_and_belong_to_active_files(traffic: Shell) -> None:
    active, finished = traffic.json("query", "states", "--by", "vo,state", "--stages")
    names = ["vo", "state", "count", "wait_count", "wait_mean", "wait_p50", "wait_p95", "wait_min", "wait_max"]
    assert list(active)[: len(names)] == names
    # In order: 10 10 20 30 40 50 60 70 80 5000 s; a bin is at most an eighth wide.
    assert active["wait_p50"] == pytest.approx(40 * SECOND, rel=0.125)
    assert active["wait_p95"] == pytest.approx(5000 * SECOND, rel=0.125)
    assert active["staging_p50"] == pytest.approx(70 * SECOND, rel=0.125)
    assert (finished["state"], finished["wait_p50"]) == ("FINISHED", None)
    first, second = (
        row for row in traffic.json("query", "states", "--stages", "--where", "wait_count>0", "--order", "window_start")
    )
    assert first["wait_p95"] < 80 * SECOND < second["wait_p95"]


def test_a_table_and_what_cannot_be_asked(traffic: Shell) -> None:
    assert "min" in traffic("query", "states", "--by", "dst_host", "--stages")
    traffic("query", "states", "--window", "1h", code=2)
    assert "states have no windows to choose" in traffic.err
