"""``query --watch`` on a terminal: drawn again in place, while the database is away too, until Ctrl-C."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipeline.store.session import connect
from tests.support.lines import COMPLETE, NOON_MS, complete, line, write
from tests.support.pseudo_terminal import on_a_terminal
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

HIDE, SHOW, UP = "\x1b[?25l", "\x1b[?25h", "\x1b[1A"
QUESTION = ("query", "errors", "--from", "2026-11-22T12:00Z", "--to", "2026-11-22T13:00Z", "--by", "category")


def failure(number: int, category: str) -> str:
    fields = {"t_final_transfer_state": "Error", "tr_error_category": category}
    return line(COMPLETE, complete(number, NOON_MS + 60_000, **fields))


@pytest.fixture
def admit(database_url: str) -> Callable[[bool], None]:
    """Lets the database accept connections, or refuse them all."""

    def admit(anybody: bool) -> None:
        parts = urlsplit(database_url)
        name = parts.path.removeprefix("/")
        with closing(connect(parts._replace(path="/postgres").geturl())) as connection:
            connection.autocommit = True
            connection.cursor().execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {str(anybody).lower()}")

    return admit


def test_it_redraws_survives_an_outage_and_ends_in_order(
    shell: Shell, tmp_path: Path, admit: Callable[[bool], None]
) -> None:
    shell("replay", write(tmp_path / "first.jsonl", [failure(1, "FIRST\x1b[2J\u202e")]))
    with on_a_terminal(*QUESTION, "--spark", "count", "--watch", "0.5") as screen:
        drawn = screen.await_word("FIRST")
        assert re.search(r"as of \d\d:\d\d:\d\d UTC, every 0\.5 s until Ctrl-C: 1 row", screen.sent())
        screen.await_word("█")

        shell("replay", write(tmp_path / "second.jsonl", [failure(2, "SECOND")]))
        screen.await_word("SECOND", after=drawn)
        assert UP in screen.sent()[drawn:]

        admit(False)
        away = screen.await_word("cannot be reached", after=drawn)
        assert re.search(r"cannot be reached.*; below: as of \d\d:\d\d:\d\d UTC", screen.sent()[drawn:], re.DOTALL)
        screen.await_word("SECOND", after=screen.sent().rindex("cannot be reached"))
        admit(True)
        screen.await_word("until Ctrl-C: 2 rows", after=away)

        code, took = screen.end(signal.SIGINT)
        assert (code, took < 5) == (0, True)
        sent = screen.sent()
    assert sent.rindex(SHOW) > sent.rindex(HIDE)
    assert "FIRST\\x1b[2J\\u202e" in sent
    assert not {"\x1b[2J", "\u202e"} & {sent[i : i + width] for width in (1, 4) for i in range(len(sent))}
    assert "Traceback" not in sent
    assert "interrupted" not in sent


def test_without_a_number_it_asks_every_five_seconds_and_ends_on_sigterm(shell: Shell) -> None:
    with on_a_terminal(*QUESTION, "--watch") as screen:
        screen.await_word("every 5 s until Ctrl-C: 0 rows")
        assert screen.end(signal.SIGTERM)[0] == 0
        assert screen.sent().rindex(SHOW) > screen.sent().rindex(HIDE)


def test_a_database_that_is_not_there_from_the_start_ends_it(
    shell: Shell, admit: Callable[[bool], None], database_url: str
) -> None:
    admit(False)
    with on_a_terminal(*QUESTION, "--watch", "1") as screen:
        assert screen.ended() == 3
        assert "PostgreSQL at" in screen.sent()


@pytest.mark.parametrize("form", [["--format", "csv"], ["--json"]])
def test_only_tables_are_watched(shell: Shell, form: list[str]) -> None:
    assert shell(*QUESTION, "--watch", "5", *form, code=2) == ""
    assert "--watch redraws a table" in shell.err


def test_it_needs_a_terminal_and_a_pause(shell: Shell) -> None:
    shell(*QUESTION, "--watch", code=2)
    assert "stdout is none" in shell.err
    shell(*QUESTION, "--watch", "0", code=2)
    assert "0.5<=x<=86400" in shell.err
