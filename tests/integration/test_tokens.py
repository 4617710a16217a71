"""Tokens from their making to their end: the command, the store, the API; and what a token of some VOs does not see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from pipeline.store import roles
from pipeline.web.access import FRESH_S, Tokens
from pipeline.web.app import create_app
from pipeline.web.callers import Callers
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from tests.support.database import Database
from tests.support.lines import COMPLETE, NOON_MS, START, complete, line, start, write
from tests.support.shell import Shell
from tests.support.tokens import let_in

pytestmark = pytest.mark.stack

RANGE = {"from": "2026-11-22T00:00Z", "to": "2026-11-23T00:00Z", "shape": "objects"}


class Api:
    """The API over a store whose tokens it looks at when the test says so."""

    def __init__(self, database_url: str) -> None:
        config = WebConfig(database_url, timeout_s=10)
        self.server = Server(config, lambda _: {}, clock=lambda: NOON_MS / 1000 + 3600)
        self.passed = 0.0
        self.server.callers = Callers(Tokens(self.server._tokens, passed=lambda: self.passed))
        self.client = TestClient(create_app(config, self.server), follow_redirects=False)

    def get(self, path: str, token: str, status: int = 200, /, **asked: str) -> Any:
        reply = self.client.get(path, params=asked, headers={"Authorization": f"Bearer {token}"})
        assert reply.status_code == status, reply.text
        return reply.json()

    def rows(self, path: str, token: str, **asked: str) -> list[dict[str, Any]]:
        found = self.get(f"/api/v1{path}", token, 200, **RANGE, **asked)["rows"]
        assert isinstance(found, list)
        return found


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    made = Api(database_url)
    with made.client:
        yield made


def test_a_token_is_shown_once_and_kept_as_its_hash(shell: Shell, api: Api, database: Database) -> None:
    secret = shell("tokens", "add", "shifter", "--days", 7).strip()
    assert secret.startswith("ts_")
    assert len(secret) >= 46
    assert bytes(database.value("SELECT digest FROM store.token")) == sha256(secret.encode()).digest()
    assert secret not in json.dumps(database.ask("SELECT t::text FROM store.token AS t"))
    assert secret not in shell("tokens", "list")
    assert api.rows("/transfers", secret) == []
    (listed,) = shell.json("tokens", "list")
    assert (listed["name"], listed["role"], listed["vos"], listed["state"]) == ("shifter", "reader", "all", "holds")
    left = datetime.fromisoformat(listed["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


def test_a_revoked_token_ends_and_its_name_is_free_again(shell: Shell, api: Api) -> None:
    first = shell.json("tokens", "add", "x", "--role", "operator")["token"]
    shell("tokens", "add", "x", code=1)
    assert "revoke it, or take another name" in shell.err
    api.get("/api/v1/dead-letters", first)
    shell("tokens", "revoke", "x")
    shell("tokens", "revoke", "x", code=1)
    api.passed += FRESH_S
    assert "the token is not known" in api.get("/api/v1/dead-letters", first, 401)["detail"]
    second = shell.json("tokens", "add", "x")["token"]
    assert second != first
    assert [row["state"] for row in shell.json("tokens", "list")] == ["holds", "revoked"]


def test_the_hour_of_the_last_use_is_noted_without_a_statement_a_request(
    shell: Shell, api: Api, database: Database
) -> None:
    secret = shell.json("tokens", "add", "x")["token"]
    for _ in range(3):
        api.rows("/transfers", secret)
    assert database.value("SELECT last_used_at FROM store.token") is None
    api.passed += FRESH_S
    api.rows("/transfers", secret)
    used = database.value("SELECT last_used_at FROM store.token")
    assert (used.minute, used.second) == (0, 0)
    assert datetime.now(UTC) - used < timedelta(hours=1, minutes=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("a b",),
        ("",),
        ("x" * 64,),
        ("-x",),
        ("x\x1b[2J",),
        ("x", "--role", "root"),
        ("x", "--days", "0"),
        ("x", "--days", "367"),
    ],
)
def test_what_is_no_token_is_not_made(shell: Shell, database: Database, arguments: tuple[str, ...]) -> None:
    shell("tokens", "add", *(("--", *arguments) if arguments[0].startswith("-") else arguments), code=2)
    assert database.value("SELECT count(*) FROM store.token") == 0


def test_an_expired_token_is_refused(api: Api, database_url: str, shell: Shell) -> None:
    let_in(database_url, "late", "operator", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert "not known" in api.get("/api/v1/dead-letters", "late", 401)["detail"]
    assert [row["state"] for row in shell.json("tokens", "list")] == ["expired"]


@pytest.fixture
def mixed(shell: Shell, database_url: str, tmp_path: Path) -> None:
    """Two transfers and a failure of each of three VOs, one in flight, one that nobody knows the VO of; dead ones."""
    lines = []
    for number, vo in enumerate(("atlas", "cms", "lhcb")):
        lines.append(line(COMPLETE, complete(10 + number, vo=vo)))
        failed = f"No such file or directory: /data/{vo}/secret of {vo}.root"
        bad = complete(20 + number, vo=vo, t_final_transfer_state="Error", t__error_message=failed)
        lines.append(line(COMPLETE, bad))
        lines.append(line(START, start(30 + number, vo=vo)))
    lines.append(line(COMPLETE, complete(40, vo="")))
    lines.append(line(COMPLETE, "no json"))
    shell("replay", write(tmp_path / "traffic.jsonl", lines))
    let_in(database_url, "atlas", "operator", ["atlas"])
    let_in(database_url, "two", "reader", ["atlas", "cms"])
    let_in(database_url, "all", "operator")


@pytest.mark.parametrize(("token", "vos"), [("atlas", {"atlas"}), ("two", {"atlas", "cms"}), ("all", None)])
@pytest.mark.usefixtures("mixed")
def test_a_token_of_some_vos_sees_single_transfers_of_these_alone(api: Api, token: str, vos: set[str] | None) -> None:
    everybody = {"atlas", "cms", "lhcb"}
    seen = vos or everybody
    assert {row["vo"] for row in api.rows("/transfers", token)} - {"unknown"} == seen
    assert {row["vo"] for row in api.rows("/transfers", token, vo="lhcb")} == seen & {"lhcb"}
    assert {row["vo"] for row in api.rows("/transfers", token, vo="!atlas")} - {"unknown"} == seen - {"atlas"}
    assert {row["vo"] for row in api.rows("/transfers/lost", token)} == seen
    assert {row["vo"] for row in api.rows("/transfers/lost", token, by="vo,job_id")} == seen
    assert {row["vo"] for row in api.rows("/transfers/lost", token, by="vo")} == everybody, "sums are open"
    assert {row["vo"] for row in api.rows("/vos", token)} >= everybody
    for number, vo in enumerate(("atlas", "cms", "lhcb")):
        api.get(f"/api/v1/transfers/id-{10 + number}", token, 200 if vo in seen else 404)
        if token != "two":
            api.get(f"/api/v1/transfers/id-{10 + number}/messages", token, 200 if vo in seen else 404)
    errors = api.rows("/errors", token)
    assert errors
    assert [("sample" in row) for row in errors] == [vos is None] * len(errors)
    for path in (f"/api/v1/errors/{errors[0]['id']}/links", "/api/v1/errors"):
        assert ("/data/" in json.dumps(api.get(path, token, 200, **RANGE))) == (vos is None)


@pytest.mark.usefixtures("mixed")
def test_pages_show_a_token_of_some_vos_no_more_than_the_api(api: Api) -> None:
    api.client.headers["accept"] = "text/html"
    for token, sees in (("atlas", False), ("all", True)):
        headers = {"Authorization": f"Bearer {token}"}
        pages = []
        ends = {"src": "host:eoscms.cern.ch", "dst": "host:storm.cnaf.infn.it"}
        for path, more in (("/transfers", {}), ("/transfers/in-flight", {}), ("/errors", {}), ("/links", ends)):
            found = api.client.get(path, params={"from": RANGE["from"], "to": RANGE["to"], **more}, headers=headers)
            assert found.status_code == 200, found.text
            pages.append(found.text)
        assert ("/data/lhcb" in "".join(pages)) == sees
        assert api.client.get("/transfers/id-12", headers=headers).status_code == (200 if sees else 404)


@pytest.mark.usefixtures("mixed")
def test_what_cannot_be_told_apart_by_vo_is_not_for_a_token_of_some(api: Api) -> None:
    assert "a token of all VOs, and yours is one of atlas" in api.get("/api/v1/dead-letters", "atlas", 403)["detail"]
    assert len(api.rows("/dead-letters", "all")) == 1


@pytest.mark.usefixtures("mixed")
def test_answers_of_one_token_are_not_taken_for_those_of_another(api: Api) -> None:
    tags = {
        api.client.get("/api/v1/errors", params=RANGE, headers={"Authorization": f"Bearer {token}"}).headers["etag"]
        for token in ("atlas", "two", "all")
    }
    assert len(tags) == 3


def test_signing_in_asks_the_store_and_the_cookie_ends_with_the_token(shell: Shell, api: Api) -> None:
    secret = shell.json("tokens", "add", "x")["token"]
    assert api.client.post("/sign-in", data={"token": "wrong"}).status_code == 401
    signed = api.client.post("/sign-in", data={"token": secret, "next": "/transfers"})
    assert (signed.status_code, signed.headers["location"]) == (303, "/transfers")
    assert api.client.get("/transfers").status_code == 200
    shell("tokens", "revoke", "x")
    api.passed += FRESH_S
    assert api.client.get("/transfers").status_code == 401


def test_a_login_that_may_not_look_tokens_up_is_a_fault_of_the_settings(database: Database) -> None:
    roles.ensure(database.url)
    asked = "SELECT has_table_privilege('transferscope_operator', 'store.token', 'SELECT')"
    assert database.value(asked) is False
