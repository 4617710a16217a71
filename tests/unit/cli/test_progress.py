"""Progress is told on stderr: a bar on a terminal, a line now and then otherwise."""

from __future__ import annotations

import io
import sys

import pytest

from pipeline.cli import progress
from pipeline.cli.progress import Progress, Waiting


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_off_the_terminal_a_line_comes_every_five_seconds(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("replaying", "messages", whole=1000) as bar:
        for _ in range(11):
            clock.now += 1
            bar.advance(50, 50)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "replaying: 250 messages, 50/s (5%)",
        "replaying: 500 messages, 50/s (5%)",
    ]
    assert bar.summary() == "550 messages in 11.0 s, 50/s"


def test_without_a_whole_there_is_no_share(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("publishing", "messages") as bar:
        clock.now += 5
        bar.advance(12_345)
    assert capsys.readouterr().err == "publishing: 12 345 messages, 2 469/s\n"


def test_on_a_terminal_there_is_a_bar_that_leaves_nothing_behind_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Progress("replaying", "messages", whole=10) as bar:
        bar.advance(5)
    assert "replaying: 5 messages" in terminal.getvalue()
    assert "50%" in terminal.getvalue()
    assert capsys.readouterr().out == ""


def test_waiting_tells_how_it_is_now_and_then(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Waiting() as waiting:
        for number in range(11):
            waiting.tell(f"{number} left")
            clock.now += 1
    assert capsys.readouterr().err.splitlines() == ["5 left", "10 left"]
