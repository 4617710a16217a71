"""Silences over HTTP, as the login of web: who may, what is refused and audited, what a cookie cannot do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from pipeline.stages.alert_rules import Finding
from pipeline.store import roles
from pipeline.store.alerts import raise_alert
from pipeline.store.session import connect
from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from tests.support.database import Database
from tests.support.logins import login_of
from tests.support.pages import BROWSER, page
from tests.support.tokens import let_in, reads_and_operates

pytestmark = pytest.mark.stack

WISH = {"rule": "back*", "subject": "queue deep*", "hours": 2, "reason": "mq1 is upgraded"}
HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e"
FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    """Two open alerts, and the application as its own login of least rights."""
    roles.ensure(database.url)
    reads_and_operates(database.url)
    let_in(database.url, "of-cms", "operator", ["cms"])
    with closing(connect(database.url)) as connection, connection, connection.cursor() as cursor:
        for subject in ("queue deep at mq1", "queue other at mq1"):
            raise_alert(cursor, Finding("backlog", subject, 7000, 5000, "behind"), datetime.now(UTC))
    database.ask("DELETE FROM store.outbox")
    with login_of(database, roles.WEB) as login:
        config = WebConfig(login.url)
        with TestClient(create_app(config, Server(config)), follow_redirects=False) as found:
            yield found


def add(client: TestClient, **changed: Any) -> Any:
    return client.post("/api/v1/silences", json=WISH | changed, headers=bearer("operates"))


def test_an_operator_gives_a_silence_and_ends_it(client: TestClient, database: Database) -> None:
    before = datetime.now(UTC)
    made = add(client)
    assert made.status_code == 201, made.text
    silence = made.json()
    assert {name: silence[name] for name in ("rule", "subject", "reason", "author")} == {
        "rule": "back*",
        "subject": "queue deep*",
        "reason": "mq1 is upgraded",
        "author": "operates",
    }
    ends_at = datetime.fromisoformat(silence["ends_at"])
    assert timedelta(0) <= ends_at - before - timedelta(hours=2) < timedelta(seconds=30)
    asked = {"shape": "objects"}
    listed = client.get("/api/v1/silences", params=asked, headers=bearer("operates")).json()
    assert listed["rows"] == [silence]
    assert all(column["meaning"] for column in listed["columns"])
    silenced = "SELECT subject FROM report.alert WHERE silenced_until IS NOT NULL"
    assert database.ask(silenced) == [("queue deep at mq1",)]
    assert database.value("SELECT cardinality(keys) FROM store.outbox WHERE topic = 'alerts'") == 1
    where = f"/api/v1/silences/{silence['id']}"
    ended = client.delete(where, headers=bearer("operates"))
    assert (ended.status_code, ended.content) == (204, b"")
    again = client.delete(where, headers=bearer("operates"))
    assert (again.status_code, "GET /api/v1/silences lists" in again.json()["detail"]) == (404, True)
    assert client.get("/api/v1/silences", headers=bearer("operates")).json()["rows"] == []
    over = client.get("/api/v1/silences", params=asked | {"over": "1"}, headers=bearer("operates")).json()["rows"]
    assert [row["id"] for row in over] == [silence["id"]]
    lines = database.ask("SELECT who, split_part(via, ' ', 1), origin, action, subject, result FROM report.audit")
    about = f"{silence['id']}: back*, queue deep*, until {silence['ends_at']}"
    assert lines == [
        ("operates", "token", "testclient", "add silence", about, "done"),
        ("operates", "token", "testclient", "end silence", str(silence["id"]), "done"),
    ]


OTHERS = [
    ("", 401, "Bearer TOKEN"),
    ("nobody", 401, "not known"),
    ("reads", 403, "the token of an operator"),
    ("of-cms", 403, "a token of all VOs"),
]


def test_nobody_else_sees_gives_or_ends_one(client: TestClient, database: Database) -> None:
    number = add(client).json()["id"]
    for token, status, why in OTHERS:
        headers = bearer(token) if token else {}
        for reply in (
            client.get("/api/v1/silences", headers=headers),
            client.post("/api/v1/silences", json=WISH, headers=headers),
            client.post("/api/v1/silences", content=b"no json", headers=headers),
            client.delete(f"/api/v1/silences/{number}", headers=headers),
        ):
            assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
            assert why in reply.json()["detail"]
    assert database.ask("SELECT id, ends_at > now() FROM report.silence") == [(number, True)]


NO_WISHES: list[tuple[dict[str, Any], str]] = [
    ({"reason": None}, "reason"),
    ({"reason": "  "}, "reason"),
    ({"reason": "a\0b"}, "reason"),
    ({"reason": "x" * 1001}, "reason"),
    ({"hours": None}, "hours"),
    ({"hours": 0}, "hours"),
    ({"hours": -1}, "hours"),
    ({"hours": 2160.1}, "hours"),
    ({"hours": "soon"}, "hours"),
    ({"hours": 1e400}, "hours"),
    ({"subject": ""}, "subject"),
    ({"rule": "x" * 101}, "rule"),
    ({"author": "somebody else"}, "author"),
]
NO_DOCUMENTS = [b"", b"no json", b"[1]", b'{"reason": "\\ud800"}', b"\xff", b"x" * 20_000]


def test_what_is_no_silence_is_refused_and_named(client: TestClient, database: Database) -> None:
    for changed, parameter in NO_WISHES:
        wish = {name: value for name, value in (WISH | changed).items() if value is not None}
        reply = client.post("/api/v1/silences", content=json.dumps(wish), headers=bearer("operates"))
        assert reply.status_code == 400, reply.text
        assert [fault["parameter"] for fault in reply.json()["errors"]] == [parameter]
    for content in NO_DOCUMENTS:
        reply = client.post("/api/v1/silences", content=content, headers=bearer("operates"))
        assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")
    for number in ("0", "-1", "x", str(2**63), "1e3"):
        assert client.delete(f"/api/v1/silences/{number}", headers=bearer("operates")).status_code == 400
    assert database.ask("SELECT * FROM report.silence") == []


def test_a_cookie_orders_nothing_of_the_api(client: TestClient, database: Database) -> None:
    number = add(client).json()["id"]
    client.post("/sign-in", data={"token": "operates"})
    assert client.get("/api/v1/silences").status_code == 200
    refused = client.post("/api/v1/silences", json=WISH, headers={"sec-fetch-site": "same-origin"})
    assert (refused.status_code, "in the header" in refused.json()["detail"]) == (401, True)
    assert client.delete(f"/api/v1/silences/{number}").status_code == 401
    assert database.ask("SELECT id, ends_at > now() FROM report.silence") == [(number, True)]


def test_the_page_of_alerts_has_forms_for_operators_and_none_for_others(client: TestClient) -> None:
    add(client, reason=HOSTILE)
    client.headers["accept"] = BROWSER
    for token, has_form in (("", False), ("reads", False), ("of-cms", False), ("operates", True)):
        shown = page(client, "/alerts", **(bearer(token) if token else {}))
        actions = {found["action"] for tag, found in shown.tags if tag == "form" and found.get("method") == "post"}
        assert ({each for each in actions if each and "silences" in each} != set()) == has_form, token
        assert any("Silence" in cell for row in shown.rows for cell in row) == has_form
    text = client.get("/alerts", headers=bearer("operates")).text
    assert HOSTILE not in text
    assert "&lt;script&gt;alert(1)" in text


def test_the_form_begins_with_the_alert_that_it_was_opened_for(client: TestClient) -> None:
    shown = page(client, "/alerts?from=now-1h", **bearer("operates"))
    address = next(each for each in shown.links if "silence=" in each)
    fields = {found["name"]: found for _, found in page(client, address, **bearer("operates")).tags if "name" in found}
    assert fields["subject"]["value"] in ("queue deep at mq1", "queue other at mq1")
    assert fields["next"]["value"] == "/alerts?from=now-1h"
    gone = page(client, "/alerts?silence=4711", **bearer("operates"))
    assert {found["name"]: found for tag, found in gone.tags if "name" in found}["subject"]["value"] == ""


def test_a_form_of_the_page_gives_and_ends_a_silence(client: TestClient, database: Database) -> None:
    client.post("/sign-in", data={"token": "operates"})
    client.headers["accept"] = BROWSER
    back = "/alerts?from=now-1h"
    made = client.post("/alerts/silences", data=WISH | {"next": back}, headers=FORM)
    assert (made.status_code, made.headers["location"]) == (303, back)
    shown = page(client, back)
    assert shown.row("queue deep*")[1:5] == ["back*", "queue deep*", "mq1 is upgraded", "operates"]
    assert any("silenced until" in cell for row in shown.rows for cell in row)
    number = database.value("SELECT id FROM report.silence")
    own = {"origin": "http://testserver"}
    ended = client.post(f"/alerts/silences/{number}/end", data={"next": "https://evil.example/"}, headers=own)
    assert (ended.status_code, ended.headers["location"]) == (303, "/")
    assert database.value("SELECT ends_at <= now() FROM report.silence")
    assert [row[0] for row in database.ask("SELECT action FROM report.audit ORDER BY id")] == [
        "add silence",
        "end silence",
    ]


FORGED = [
    {},
    {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"origin": "https://evil.example"},
    {"origin": "http://testserver.evil.example"},
    {"origin": "http://testserver:8080"},
    {"origin": "null"},
]


def test_a_form_of_another_page_orders_nothing(client: TestClient, database: Database) -> None:
    number = add(client).json()["id"]
    client.post("/sign-in", data={"token": "operates"})
    for headers in FORGED:
        for address in ("/alerts/silences", f"/alerts/silences/{number}/end"):
            refused = client.post(address, data=WISH, headers=headers)
            assert (refused.status_code, "the page of another host" in refused.json()["detail"]) == (403, True)
    assert database.ask("SELECT id, ends_at > now() FROM report.silence") == [(number, True)]


def test_a_form_without_a_right_or_with_a_fault_is_a_page_that_says_so(client: TestClient) -> None:
    client.headers |= {"accept": BROWSER, "referer": "http://testserver/alerts?from=now-1h", **FORM}
    anonymous = client.post("/alerts/silences", data=WISH)
    assert anonymous.status_code == 401
    assert 'name="next" value="/alerts?from=now-1h"' in anonymous.text, "signing in leads back to the page"
    client.post("/sign-in", data={"token": "reads"})
    assert client.post("/alerts/silences", data=WISH).status_code == 403
    client.post("/sign-in", data={"token": "operates"})
    wrong = client.post("/alerts/silences", data=WISH | {"hours": "x"})
    assert (wrong.status_code, "hours Input should be a valid number" in wrong.text) == (400, True)
    assert client.post("/alerts/silences", data={str(n): "x" for n in range(20)}).status_code == 400


def test_the_description_has_the_wish_and_the_replies(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    paths = described["paths"]
    post, delete = paths["/api/v1/silences"]["post"], paths["/api/v1/silences/{number}"]["delete"]
    wish = post["requestBody"]["content"]["application/json"]["schema"]
    assert wish["required"] == ["hours", "reason"]
    assert wish["properties"]["hours"]["maximum"] == 2160
    assert {"201", "400", "401", "403", "503"} <= set(post["responses"])
    assert {"204", "401", "403", "404"} <= set(delete["responses"])
    assert "200" not in {*post["responses"], *delete["responses"]}
