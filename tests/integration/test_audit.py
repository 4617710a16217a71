"""Whatever an operator does leaves a line that says who, what, when, from where and with which result."""

from __future__ import annotations

import getpass
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from pipeline.store import audit
from pipeline.store.audit import Action, Actor
from pipeline.store.session import Unavailable, connect
from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from tests.support.database import Database
from tests.support.lines import COMPLETE, START, complete, line, start, write
from tests.support.shell import Shell
from tests.support.tokens import reads_and_operates

pytestmark = pytest.mark.stack


def lines_of(database: Database) -> list[tuple[Any, ...]]:
    """Action, subject, result; the rest is the same for all that commands do."""
    rows = database.ask("SELECT who, via, origin, action, subject, result, at, login FROM report.audit ORDER BY id")
    for who, via, origin, *_, at, login in rows:
        assert (who, via, origin) == (getpass.getuser(), "os", socket.gethostname())
        assert abs(datetime.now(UTC) - at) < timedelta(minutes=10)
        assert login == database.value("SELECT session_user::text")
    return [row[3:6] for row in rows]


def test_commands_that_change_or_show_what_is_not_for_all_are_told(
    shell: Shell, database: Database, tmp_path: Path
) -> None:
    shell("replay", write(tmp_path / "traffic.jsonl", [line(COMPLETE, complete(1)), line(COMPLETE, "no json")]))
    assert lines_of(database) == []
    shell("tokens", "add", "x", "--vo", "cms", "--vo", "atlas", "--role", "operator")
    shell("tokens", "revoke", "x")
    shell("tokens", "revoke", "y", code=1)
    (number,) = [row["id"] for row in shell.json("dead-letters", "list")]
    shell("dead-letters", "show", number)
    shell("dead-letters", "show", 4711, code=1)
    shell("dead-letters", "replay", "--reason", "not_json", code=1)
    shell("recompute", "--from", "2026-11-22", "--to", "2026-11-23")
    shell("recompute", "--dry-run")
    shell("topology", "load", "deploy/topology.example.json")
    shell("topology", "load", tmp_path / "none.json", code=2)
    found = lines_of(database)
    assert found[0][0] == "add token"
    assert found[0][1].startswith("x: operator, atlas, cms, until 20")
    missing = f"failed: ConfigurationError: the topology {tmp_path / 'none.json'} cannot be read"
    assert [(action, result.partition(": No such")[0]) for action, _, result in found] == [
        ("add token", "done"),
        ("revoke token", "done"),
        ("revoke token", "failed: there is none that holds"),
        ("read dead letter", "done"),
        ("read dead letter", "failed: there is none"),
        ("replay dead letters", "begun"),
        ("replay dead letters", "done"),
        ("recompute", "begun"),
        ("recompute", "done"),
        ("load topology", "begun"),
        ("load topology", "done"),
        ("load topology", "begun"),
        ("load topology", missing),
    ]
    assert [subject for _, subject, _ in found[1:8]] == [
        *("x", "y", str(number), "4711", "not_json", "not_json"),
        "from 2026-11-22T00:00:00Z to 2026-11-23T00:00:00Z",
    ]
    pairs = database.ask("SELECT count(DISTINCT operation), count(*) FROM report.audit WHERE action = 'recompute'")
    assert pairs == [(1, 2)]


def test_a_message_is_shown_only_after_its_line_is_written(
    shell: Shell, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell("replay", write(tmp_path / "traffic.jsonl", [line(START, start(1)), line(COMPLETE, complete(1))]))
    reads_and_operates(database.url)
    asked: list[int] = []

    def lookup(references: Any) -> dict[str, Any]:
        asked.append(int(database.value("SELECT count(*) FROM report.audit")))
        return {}

    config = WebConfig(database.url)
    with TestClient(create_app(config, Server(config, lookup))) as client:
        operator = {"Authorization": "Bearer operates"}
        assert client.get("/api/v1/transfers/id-1/messages", headers=operator).status_code == 200
        assert client.get("/transfers/id-1", headers=operator | {"accept": "text/html"}).status_code == 200
        assert client.get("/transfers/id-1", headers={"Authorization": "Bearer reads"}).status_code == 200
        assert client.get("/api/v1/transfers/none/messages", headers=operator).status_code == 404
        assert asked == [1, 2]
        rows = database.ask("SELECT who, split_part(via, ' ', 1), origin, action, subject, result FROM report.audit")
        assert rows == [("operates", "token", "testclient", "read messages", "id-1", "done")] * 2

        def fails(*_: object) -> None:
            raise Unavailable("PostgreSQL", "here", "gone")

        monkeypatch.setattr(audit, "note", fails)
        assert client.get("/api/v1/transfers/id-1/messages", headers=operator).status_code == 503
        assert len(asked) == 2, "without a line there is no message"


def test_any_text_can_be_kept_and_long_ones_are_cut(database: Database) -> None:
    text = "'; DROP TABLE store.audit; -- \0 \x1b[2J \u202e" + "x" * 5000
    connection = connect(database.url)
    try:
        audit.note(connection, Action(Actor(text, text, text), text, text), text)
    finally:
        connection.close()
    for kept in database.ask("SELECT who, via, origin, action, subject, result FROM report.audit")[0]:
        assert kept == text.replace("\0", "\ufffd")[:1000]


def test_lines_are_forgotten_after_thirteen_months(database: Database) -> None:
    for months in (0, 12, 14, 30):
        database.ask(
            "INSERT INTO store.audit (at, operation, who, via, origin, action, subject, result)"
            " VALUES (now() - %s * interval '1 month', '', '', '', '', '', %s, '')",
            (months, str(months)),
        )
    connection = connect(database.url)
    try:
        assert audit.forget(connection) == 2
    finally:
        connection.close()
    assert database.ask("SELECT subject FROM report.audit ORDER BY id") == [("0",), ("12",)]
