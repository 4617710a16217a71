"""On a standby, and as a login that only reads: what reads works, what writes says where it must go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipeline.web.access import FRESH_S, Tokens
from pipeline.web.app import create_app
from pipeline.web.callers import Callers
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from tests.support import postgres
from tests.support.database import Database
from tests.support.lines import COMPLETE, START, complete, line, start, write
from tests.support.replayed import replayed
from tests.support.shell import Shell
from tests.support.standby import standby
from tests.support.tokens import reads_and_operates

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def copy_url(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A store with one transfer, on a standby."""
    lines = [line(START, start(1)), line(COMPLETE, complete(1))]
    with replayed(template_url, tmp_path_factory.mktemp("replayed"), lines) as url:
        reads_and_operates(url)
        with standby(url) as copy:
            yield copy


@pytest.mark.parametrize(
    "command",
    [
        ("verify",),
        ("recompute",),
        ("init",),
        ("tokens", "add", "x"),
        ("silences", "add", "--hours", "1", "--reason", "upgrade"),
        ("topology", "load", "deploy/topology.example.json"),
    ],
    ids=lambda command: command[0],
)
def test_a_command_that_writes_names_the_primary(
    shell: Shell, copy_url: str, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv(postgres.VARIABLE, copy_url)
    shell(*command, code=2)
    assert shell.err.endswith("): name the primary in database_url\n")
    assert "the database takes no writes, as a standby" in shell.err


def test_a_login_that_only_reads_is_told_the_same(shell: Shell, database: Database, tmp_path: Path) -> None:
    shell("replay", write(tmp_path / "r.jsonl", [line(COMPLETE, complete(1))]))
    name = database.value("SELECT current_database()")
    database.ask(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    shell("verify", code=2)
    assert "or a login that only reads (cannot execute DROP TABLE" in shell.err
    assert len(shell.json("query", "transfers")) == 1


def test_pages_and_api_of_a_standby_know_tokens_and_show_no_message_without_an_audit(
    shell: Shell, copy_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(postgres.VARIABLE, copy_url)
    assert len(shell.json("query", "transfers")) == 1
    config = WebConfig(copy_url)
    server = Server(config, lambda _: {})
    passed = 0.0
    server.callers = Callers(Tokens(server._tokens, passed=lambda: passed))
    operator = {"Authorization": "Bearer operates"}
    with TestClient(create_app(config, server)) as client:
        for _ in range(3):  # the second look at the tokens would note the use of the first
            assert client.get("/api/v1/transfers", headers=operator).status_code == 200
            passed += FRESH_S
        refused = client.get("/api/v1/transfers/id-1/messages", headers=operator)
        assert refused.status_code == 503
        assert "takes no writes" in refused.json()["detail"]
