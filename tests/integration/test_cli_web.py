"""``transferscope web`` as a process: a free port, an answer, an end in order, and what it cannot start with."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support import postgres
from tests.support.commands import Commands
from tests.support.scraped import address_of
from tests.support.shell import Shell
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

COMMAND = Path(sys.executable).with_name("transferscope")


def test_it_tells_its_free_port_answers_and_ends_in_order(database_url: str, tmp_path: Path) -> None:
    environment = {**os.environ, postgres.VARIABLE: database_url}
    with subprocess.Popen(
        [COMMAND, "web", "--port", "0"], stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    ) as process:
        try:
            assert process.stderr is not None
            told = re.search(r"listening on (http://127\.0\.0\.1:\d+)", process.stderr.readline())
            assert told is not None
            with urlopen(f"{told[1]}/readyz", timeout=10) as reply:
                assert reply.status == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()
    assert list(tmp_path.iterdir()) == []


def test_status_tells_where_it_listens_for_as_long_as_it_does(shell: Shell, database_url: str, tmp_path: Path) -> None:
    assert shell.json("status")["web"] == []
    commands = Commands({postgres.VARIABLE: database_url}, tmp_path)
    try:
        running = commands.start("web", "--port", "0")
        address = address_of(running)
        assert shell.json("status")["web"] == [address]
        assert f"web: {address}\n" in shell("status")
        running.end()
        eventually(lambda: shell.json("status")["web"] == [], 10)
    finally:
        commands.close()


def test_a_port_that_is_taken_is_said(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        shell("web", "--port", port, code=2)
    assert f"127.0.0.1:{port}" in shell.err


def test_a_database_without_tables_is_said(shell: Shell, monkeypatch: pytest.MonkeyPatch, postgres_url: str) -> None:
    monkeypatch.setenv(postgres.VARIABLE, postgres_url)
    shell("web", code=2)
    assert "run transferscope init" in shell.err
