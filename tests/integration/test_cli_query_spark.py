"""Sparklines beside the groups of a table: every character is a window that the same question tells in JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.spark import ASCII, BLOCKS, sparkline
from tests.support.lines import COMPLETE, NOON_MS, complete, line, write
from tests.support.pseudo_terminal import on_a_terminal
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

WINDOW_MS = 600_000
RANGE = ("--from", "2026-11-22T12:00Z", "--to", "2026-11-22T13:00Z")
GOOD = {"cms": [1, 0, 2, 4, 8, 0], "atlas": [0, 0, 3, 3, 0, 3]}
FAILED = {"cms": [0, 0, 2, 0, 0, 1], "atlas": [0] * 6}


@pytest.fixture
def traffic(shell: Shell, tmp_path: Path) -> Shell:
    """An hour of two VOs: good and failed transfers of each window as above."""
    lines: list[str] = []

    def send(vo: str, window: int, **fields: Any) -> None:
        at = NOON_MS + window * WINDOW_MS + 300_000
        lines.append(line(COMPLETE, complete(len(lines), at, vo=vo, **fields), at))

    bad = {"t_final_transfer_state": "Error", "tr_bt_transfered": 0, "tr_error_category": "NET\x1b[2J"}
    for vo in GOOD:
        for window in range(6):
            for _ in range(GOOD[vo][window]):
                send(vo, window)
            for _ in range(FAILED[vo][window]):
                send(vo, window, **bad)
    shell("replay", write(tmp_path / "spark.jsonl", lines))
    return shell


def table(shell: Shell, *arguments: str) -> tuple[str, dict[str, str]]:
    """The header, and the last column of each row by the VO of the row; gaps at a line's end are not printed."""
    header, *rows = shell("query", *arguments).splitlines()
    place = header.index(header.rsplit("  ", 1)[-1])
    return header[place:], {next(vo for vo in GOOD if vo in row): row[place:] for row in rows}


def test_each_character_is_a_window_and_a_group_without_one_has_a_gap(traffic: Shell) -> None:
    header, lines = table(traffic, "links", *RANGE, "--by", "vo", "--spark", "ok")
    assert header == "ok per 10m"
    windows = traffic.json("query", "links", *RANGE, "--by", "window_start,vo")
    for vo, line_ in lines.items():
        told = {int(row["window_start"][14]): row["ok"] for row in windows if row["vo"] == vo}
        assert line_ == sparkline([told.get(window) for window in range(6)]).rstrip()
    assert lines == {"cms": "▂ ▃▅█▁", "atlas": "  ██ █"}


def test_conditions_on_sums_choose_groups_and_leave_their_windows_whole(traffic: Shell) -> None:
    _, lines = table(traffic, "links", *RANGE, "--by", "vo", "--where", "ok>10", "--spark", "efficiency")
    assert lines == {"cms": "█ ▅██▁"}


def test_wide_windows_other_reports_and_an_open_range(traffic: Shell) -> None:
    assert table(traffic, "links", *RANGE, "--by", "vo", "--window", "1h", "--spark", "bytes")[1] == {
        "cms": "█",
        "atlas": "█",
    }
    assert table(traffic, "links", "--by", "vo", "--spark", "bytes") == ("bytes per 1d", {"cms": "█", "atlas": "█"})
    header, lines = table(traffic, "errors", *RANGE, "--by", "vo", "--spark", "count")
    assert (header, lines) == ("count per 10m", {"cms": "  █  ▅"})
    assert table(traffic, "channels", *RANGE, "--by", "vo", "--spark", "links")[1]["atlas"] == "  ██ █"
    stages = table(traffic, "links", *RANGE, "--by", "vo", "--stages", "--spark", "streaming_p50")[1]
    assert stages == {"cms": "█ ███", "atlas": "  ██ █"}


def test_programs_get_no_sparklines_and_a_wrong_column_is_said_to_all(traffic: Shell) -> None:
    question = ("links", *RANGE, "--by", "vo")
    for form in ("csv", "json"):
        with_line = traffic("query", *question, "--spark", "ok", "--format", form)
        assert with_line == traffic("query", *question, "--format", form)
        assert not set(with_line) & set(BLOCKS)
    for form in ("table", "json"):
        traffic("query", *question, "--spark", "vo", "--format", form, code=2)
        assert "no number 'vo' to draw" in traffic.err


def test_a_terminal_without_blocks_gets_ascii(traffic: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    script = "from pipeline.cli.main import main; main()"
    told = subprocess.run(
        [sys.executable, "-c", script, "query", "links", *RANGE, "--by", "vo", "--spark", "ok"],
        capture_output=True,
        check=True,
    ).stdout.decode("latin-1")
    expected = "".join(ASCII[BLOCKS.index(character)] if character != " " else " " for character in "▂ ▃▅█▁")
    assert next(row for row in told.splitlines() if "cms" in row).endswith(expected)


def test_on_a_terminal_lines_leave_the_numbers_whole(traffic: Shell) -> None:
    question = ("query", "links", "--from", "2026-11-22T00:00Z", "--to", "2026-11-22T13:00Z", "--by", "vo")
    with on_a_terminal(*question, "--window", "10m", "--spark", "ok", environment={"COLUMNS": "120"}) as screen:
        assert screen.ended() == 0
        lines = [re.sub(r"\x1b\[[0-9;]*m", "", shown).rstrip() for shown in screen.sent().splitlines()]
    assert lines[0].endswith("throughput  ok per 10m")
    assert [next(vo for vo in GOOD if vo in row) for row in lines[1:3]] == ["cms", "atlas"]
    assert lines[1].endswith("▂ ▃▅█▁")
    assert lines[3].startswith("2 rows")
    assert all(len(shown) <= 120 for shown in lines)


def test_hostile_text_beside_a_line_stays_text(traffic: Shell) -> None:
    text = traffic("query", "errors", *RANGE, "--by", "category", "--spark", "count")
    assert "NET\\x1b[2J" in text
    assert "\x1b" not in text
    assert json.loads(traffic("query", "errors", "--by", "category", "--json"))[0]["category"] == "NET\x1b[2J"
