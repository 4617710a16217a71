"""Whether anybody watches is said where operators look; silences are theirs to give and to end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from pipeline.cli.flow_state import look
from pipeline.cli.settings import load
from pipeline.stages.alert_rules import RULES, Finding, Limits
from pipeline.store.alerts import beat, raise_alert
from pipeline.store.session import connect
from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from tests.support.database import Database
from tests.support.pages import BROWSER
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

NOW = datetime.now(UTC)


def beat_at(url: str, at: datetime) -> None:
    with closing(connect(url)) as connection, connection, connection.cursor() as cursor:
        beat(cursor, at)


@pytest.fixture
def client(database_url: str) -> Iterator[TestClient]:
    config = WebConfig(database_url, limits=Limits(backlog=5500))
    server = Server(config, clock=lambda: NOW.timestamp())
    with TestClient(create_app(config, server=server), headers={"accept": BROWSER}) as client:
        yield client


def test_status_names_an_alerter_that_has_died(database_url: str) -> None:
    settings = load(None, {"TRANSFERSCOPE_DATABASE_URL": database_url})

    def problems() -> list[str]:
        return [each for each in look(settings).problems(5000) if "nobody watches" in each]

    assert problems() == [], "it never ran: that may be meant"
    beat_at(database_url, NOW - timedelta(minutes=10))
    assert len(problems()) == 1
    beat_at(database_url, datetime.now(UTC))
    assert problems() == []
    beat_at(database_url, NOW - timedelta(minutes=10))
    assert problems() == [], "a look that began before is no newer sign of life"


def test_the_page_of_alerts_says_whether_anybody_watches_and_by_which_rules(
    client: TestClient, database_url: str
) -> None:
    assert "the rules were never judged" in client.get("/alerts").text
    beat_at(database_url, NOW - timedelta(minutes=10))
    assert "10 min 00 s ago" in client.get("/alerts").text
    beat_at(database_url, NOW - timedelta(seconds=20))
    shown = client.get("/alerts").text
    assert "Nobody watches" not in shown
    assert "More than 5500 messages wait" in shown
    assert all(f'<th scope="row">{rule.name}</th>' in shown for rule in RULES)


def test_silences_are_given_listed_and_ended(shell: Shell, database_url: str, database: Database) -> None:
    with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
        raise_alert(cursor, Finding("backlog", "queue q on b", 6000, 5000, ""), NOW)
    shell("silences", "add", "--rule", "backlog", "--hours", "1", "--reason", " ", code=2)
    number = int(shell("silences", "add", "--rule", "backlog", "--hours", "1", "--reason", "upgrade", "--author", "me"))
    (listed,) = shell.json("silences", "list")
    assert (listed["id"], listed["rule"], listed["subject"], listed["reason"], listed["author"]) == (
        number,
        "backlog",
        "*",
        "upgrade",
        "me",
    )
    assert shell.json("query", "alerts")[0]["silenced_until"] == listed["ends_at"]
    shell("silences", "end", str(number))
    shell("silences", "end", str(number), code=1)
    assert f"transferscope: no silence {number} holds: transferscope silences list shows" in shell.err
    assert shell.json("silences", "list") == []
    assert [each["id"] for each in shell.json("silences", "list", "--all")] == [number]
    assert database.value("SELECT ends_at <= now() FROM report.silence")


def test_the_rules_are_listed_with_the_limits_in_force(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFERSCOPE_BACKLOG_LIMIT", "1234")
    monkeypatch.setenv("TRANSFERSCOPE_BACKLOG_LIMITS", "Consumer.x.*=99")
    said = {rule["rule"]: rule["says"] for rule in shell.json("silences", "rules")}
    assert set(said) == {rule.name for rule in RULES}
    assert "More than 1234" in said["backlog"]
    assert "Consumer.x.*: 99 messages" in said["backlog"]
