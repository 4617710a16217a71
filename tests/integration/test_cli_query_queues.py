"""Questions about queues from the shell: windows as they are, groups that add nothing up."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.lines import line, write
from tests.support.queue_messages import link, optimizer_fields, status_fields
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

STATUS, OPTIMIZER = "transfer.fts_monitoring_queue_status", "transfer.fts_monitoring_queue_state"
NOON_MS, MINUTE_MS = 1_795_348_800_000, 60_000
ATLAS = "query", "queues", "--where", "vo=atlas"


def status(minute: int, *links: dict[str, Any], vo: str = "atlas", channel: str = "A-B") -> str:
    fields = status_fields(*links, vo=vo, channel=channel, time=NOON_MS + minute * MINUTE_MS)
    return line(STATUS, json.dumps(fields))


@pytest.fixture
def traffic(shell: Shell, tmp_path: Path) -> Shell:
    """Between 12:00 and 12:20: two links of ATLAS, two samples a window, the same under CMS, one pair of FTS3."""
    lines = []
    for minute, active in ((0, 10), (5, 20), (10, 60), (15, 0)):
        links = [link(active=active, ready=minute), link("c.org", "d.org", active=1, ready="", ratio="")]
        lines += [status(minute, *links), status(minute, *links, vo="cms", channel="X")]
    lines.append(line(OPTIMIZER, json.dumps(optimizer_fields(timestamp=NOON_MS))))
    shell("replay", write(tmp_path / "queues.jsonl", lines))
    return shell


def test_windows_are_those_of_the_view_newest_first(traffic: Shell) -> None:
    rows = traffic.json(*ATLAS)
    assert [(row["window_start"][11:16], row["src_host"], row["active_last"], row["active_avg"]) for row in rows] == [
        ("12:10", "a.x.org", 0, 30),
        ("12:10", "c.org", 1, 1),
        ("12:00", "a.x.org", 20, 15),
        ("12:00", "c.org", 1, 1),
    ]
    assert rows[0] == {
        **{"window_start": "2026-11-22T12:10:00Z", "fts": "fts.example.org", "vo": "atlas", "channel": "A-B"},
        **{"channel_type": None, "src_host": "a.x.org", "dst_host": "b.y.org", "samples": 2},
        **{"active_last": 0, "active_avg": 30.0, "active_max": 60, "ready_last": 15, "ready_avg": 12.5},
        **{"ready_max": 15, "ratio_last": 4.0, "ratio_avg": 4.0, "ratio_max": 4.0, "active_to_max": 0.5},
    }


def test_what_stands_under_two_vos_is_not_added_up(traffic: Shell) -> None:
    rows = traffic.json("query", "queues", "--by", "src_host,dst_host", "--where", "vo!=")
    assert [(row["src_host"], row["active_last"], row["active_avg"], row["active_max"]) for row in rows] == [
        ("a.x.org", 0, 22.5, 60),
        ("c.org", 1, 1, 1),
    ]
    assert [(row["ready_last"], row["ready_avg"], row["ratio_max"], row["samples"]) for row in rows] == [
        (15, 7.5, 4.0, 8),
        (None, None, None, 8),
    ]


def test_a_group_of_windows_is_over_the_range(traffic: Shell) -> None:
    rows = traffic.json(*ATLAS, "--by", "vo", "--from", "2026-11-22T12:03Z", "--to", "2026-11-22T12:04Z")
    assert [(row["vo"], row["active_last"], row["active_max"], row["samples"]) for row in rows] == [
        ("atlas", 20, 20, 4)
    ]
    rows = traffic.json(*ATLAS, "--by", "window_start", "--where", "active_max>20")
    assert [(row["window_start"], row["active_max"]) for row in rows] == [("2026-11-22T12:10:00Z", 60)]


def test_none_can_be_asked_for_and_measures_too(traffic: Shell) -> None:
    (row,) = traffic.json("query", "queues", "--where", "vo=", "--where", "ready_last>=140")
    assert (row["fts"], row["vo"], row["channel"], row["active_last"]) == ("fts3.example.org", None, None, 18)
    assert len(traffic.json("query", "queues", "--where", "ready_last=", "--where", "channel=X")) == 2
    ordered = traffic.json(*ATLAS, "--order", "-active_max,src_host", "--limit", "2")
    assert [row["active_max"] for row in ordered] == [60, 20]


def test_a_table_has_units_and_csv_has_none(traffic: Shell) -> None:
    table = traffic(*ATLAS, "--limit", "1")
    assert table.split()[:7] == ["window_start", "fts", "vo", "channel", "src_host", "dst_host", "active_last"]
    assert "4.0 %" in table
    (row, *_) = csv.DictReader(io.StringIO(traffic(*ATLAS, "--format", "csv")))
    assert (row["ratio_last"], row["active_to_max"], row["channel_type"]) == ("4.0", "0.5", "")


@pytest.mark.parametrize("option", [("--window", "1h"), ("--stages",), ("--by", "channel_type"), ("--by", "samples")])
def test_what_cannot_be_asked_is_refused(shell: Shell, option: tuple[str, ...]) -> None:
    shell("query", "queues", *option, code=2)
    assert "queues" in shell.err
