"""Both messages of a transfer for operators, and signing in from a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipeline.store.session import Unavailable
from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from schemas.envelope import RawMessage
from tests.support.lines import COMPLETE, NOON_MS, START, complete, line, start, write
from tests.support.pages import BROWSER
from tests.support.shell import Shell
from tests.support.tokens import reads_and_operates

pytestmark = pytest.mark.stack

HOSTILE = "<script>alert(1)</script>"
RANGE = "from=2026-11-22T12:00Z&to=2026-11-22T13:00Z"


class Kept:
    """Stands for Kafka: the lines of a replayed file by their references; ``away`` is what it says instead."""

    def __init__(self, path: Path, lines: Sequence[str]) -> None:
        self.bodies = {f"{path}:{number}": json.loads(each) for number, each in enumerate(lines, 1)}
        self.away: str | None = None

    def __call__(self, references: Sequence[str]) -> Mapping[str, RawMessage]:
        if self.away is not None:
            raise Unavailable("Kafka", "kafka:9092", self.away)
        return {
            reference: RawMessage("", each["topic"], each["body"].encode(), {"x": HOSTILE}, NOON_MS, reference, "")
            for reference in references
            if (each := self.bodies.get(reference)) is not None
        }


LINES = [
    line(START, start(1)),
    line(COMPLETE, complete(1, x_said=HOSTILE)),
    line(COMPLETE, complete(2)),
]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "traffic.jsonl", LINES[:2])


@pytest.fixture
def client(shell: Shell, database_url: str, tmp_path: Path, kept: Kept) -> Iterator[TestClient]:
    shell("replay", write(tmp_path / "traffic.jsonl", LINES))
    reads_and_operates(database_url)
    config = WebConfig(database_url)
    server = Server(config, kept, clock=lambda: NOON_MS / 1000 + 7200)
    with TestClient(create_app(config, server), headers={"accept": BROWSER}, follow_redirects=False) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_an_operator_sees_both_messages_as_they_came(client: TestClient) -> None:
    reply = client.get("/api/v1/transfers/id-1/messages?shape=objects", headers=bearer("operates"))
    rows = reply.json()["rows"]
    assert [(row["message"], Path(row["ref"]).name) for row in rows] == [
        ("start", "traffic.jsonl:1"),
        ("complete", "traffic.jsonl:2"),
    ]
    assert [row["body"] for row in rows] == [json.loads(each)["body"] for each in LINES[:2]]
    assert rows[0]["headers"] == {"x": HOSTILE}
    assert [row["missing"] for row in rows] == [None, None]
    shown = client.get("/transfers/id-1", headers=bearer("operates")).text
    assert shown.count("message as it came") == 2
    assert HOSTILE not in shown
    assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3


def test_a_message_that_kafka_no_longer_keeps_is_told_as_missing(client: TestClient) -> None:
    reply = client.get("/api/v1/transfers/id-2/messages?shape=objects", headers=bearer("operates"))
    (row,) = reply.json()["rows"]
    assert (row["message"], row["body"], Path(row["ref"]).name) == ("complete", None, "traffic.jsonl:3")
    assert "does not keep it" in row["missing"]


@pytest.mark.parametrize(("token", "status"), [("", 401), ("reads", 403)])
def test_messages_are_for_operators_alone(client: TestClient, token: str, status: int) -> None:
    reply = client.get("/api/v1/transfers/id-1/messages", headers=bearer(token) if token else {})
    assert reply.status_code == status
    assert "operator" in reply.json()["detail"]
    if token:
        assert "message as it came" not in client.get("/transfers/id-1", headers=bearer(token)).text


def test_without_kafka_the_page_still_tells_the_transfer(client: TestClient, kept: Kept) -> None:
    kept.away = "nobody listens"
    reply = client.get("/api/v1/transfers/id-1/messages", headers=bearer("operates"))
    assert (reply.status_code, reply.json()["detail"]) == (503, "Kafka cannot be reached: try again")
    page = client.get("/transfers/id-1", headers=bearer("operates"))
    assert page.status_code == 200
    assert "Kafka at kafka:9092 cannot be reached: nobody listens" in page.text


def test_a_browser_signs_in_goes_on_where_it_was_and_signs_out(client: TestClient) -> None:
    refused = client.get(f"/transfers?{RANGE}")
    assert refused.status_code == 401
    assert f'value="/transfers?{RANGE.replace("&", "&amp;").replace(":", "%3A")}"' in refused.text
    wrong = client.post("/sign-in", data={"token": "guessed", "next": "/transfers"})
    assert (wrong.status_code, wrong.headers.get("set-cookie")) == (401, None)
    right = client.post("/sign-in", data={"token": " reads ", "next": f"/transfers?{RANGE}"})
    assert (right.status_code, right.headers["location"]) == (303, f"/transfers?{RANGE}")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(right.headers["set-cookie"].split("; "))
    page = client.get(f"/transfers?{RANGE}")
    assert page.status_code == 200
    assert "Sign out reader" in page.text
    assert client.get("/api/v1/transfers/id-1").status_code == 200
    assert client.post("/sign-out").headers["location"] == "/"
    assert client.get(f"/transfers?{RANGE}").status_code == 401


def test_a_cookie_whose_token_is_gone_stands_for_nobody(client: TestClient) -> None:
    client.cookies.set("transferscope_token", "of last year")
    assert client.get(f"/?{RANGE}").status_code == 200
    assert client.get(f"/transfers?{RANGE}").status_code == 401


@pytest.mark.parametrize("next_", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:x", ""])
def test_nobody_is_led_to_another_host(client: TestClient, next_: str) -> None:
    assert client.post("/sign-in", data={"token": "reads", "next": next_}).headers["location"] == "/"
    assert 'name="next" value="/"' in client.get("/sign-in", params={"next": next_}).text


def test_a_form_that_is_too_large_is_refused(client: TestClient) -> None:
    assert client.post("/sign-in", content=b"token=" + b"x" * 20_000).status_code == 400
