"""The bridge stops, messages pile up, mail and webhook say so; it starts, they are gone, and both say that too."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from consumers.bridge.depth import queue_depths
from pipeline.simulator import SimMessage
from schemas.topics import BROKER_DEPTH
from tests.support.commands import Commands
from tests.support.database import Database
from tests.support.kafka_reader import KafkaReader
from tests.support.lines import START, start
from tests.support.mailbox import Mailbox, mailbox
from tests.support.publishing import Publisher
from tests.support.waiting import eventually
from tests.support.webhook import Webhook, webhook

pytestmark = pytest.mark.stack

WITHIN_S = 60
LIMIT = 5000
SCHEMAS = Path(__file__).parents[2] / "schemas"
SECTIONS = ("Raised", "Still open", "Resolved")


def start_messages(number: int) -> list[SimMessage]:
    now_ms = time.time_ns() // 1_000_000
    return [
        SimMessage(START, json.dumps(start(each, now_ms)).encode(), {"timestamp": str(now_ms)}, now_ms)
        for each in range(number)
    ]


def depth_of(transferscope: Commands, name: str) -> int:
    environment = transferscope.settings
    password = Path(environment["TRANSFERSCOPE_BROKER_API_PASSWORD_FILE"]).read_text().strip()
    api, user = environment["TRANSFERSCOPE_BROKER_API"], environment["TRANSFERSCOPE_BROKER_API_USER"]
    return next((queue.size for queue in queue_depths(api, user, password) if queue.name == name), 0)


def told_by_mail(box: Mailbox, section: str, alert: str) -> bool:
    """Whether a mail names the alert in that section."""
    for mail in list(box.mails):
        current = ""
        for written in mail.get_content().splitlines():
            current = next((each for each in SECTIONS if written.startswith(f"{each}: ")), current)
            if current == section and alert in written:
                return True
    return False


def told_by_webhook(receiver: Webhook, is_that: Callable[[dict[str, Any]], bool]) -> bool:
    return any(is_that(alert) for path, alerts in list(receiver.told) if path == "/api/v2/alerts" for alert in alerts)


def test_a_backlog_is_told_within_a_minute_and_so_is_its_end(transferscope: Commands) -> None:
    queue = f"Consumer.{transferscope.settings['TRANSFERSCOPE_STOMP_CONSUMER']}.{START}"
    transferscope.start("worker")
    bridge = transferscope.start("bridge")
    eventually(lambda: transferscope.run("status", "--json").code == 0, 60)
    bridge.end()
    bootstrap = transferscope.settings["TRANSFERSCOPE_KAFKA_BOOTSTRAP"]
    with mailbox() as box, webhook() as receiver, KafkaReader(bootstrap, BROKER_DEPTH) as reader:
        settings = {
            "TRANSFERSCOPE_ALERTS_MAIL_TO": "night@example.org",
            "TRANSFERSCOPE_ALERTS_SMTP": f"smtp://127.0.0.1:{box.port}",
            "TRANSFERSCOPE_ALERTS_ALERTMANAGER": receiver.url,
        }
        alerts = transferscope.start("alerts", settings=settings)
        with Publisher(start_messages(6000), transferscope.settings, 6000) as publisher:
            publisher.await_published(LIMIT + 1, 120)
            crossed_at = time.monotonic()
        subject = f"queue {queue} on "

        def says_so() -> bool:
            by_webhook = told_by_webhook(receiver, lambda alert: _is(alert, "backlog", queue))
            return by_webhook and told_by_mail(box, "Raised", f"backlog: {subject}")

        eventually(says_so, WITHIN_S - (time.monotonic() - crossed_at))
        assert {"no-consumer", "backlog"} <= {each["rule"] for each in transferscope.json("query", "alerts")}
        assert alerts.health()["healthy"]

        transferscope.start("bridge")
        eventually(lambda: depth_of(transferscope, queue) < LIMIT * 4 / 5, 120)
        gone_at = time.monotonic()

        def says_it_is_over() -> bool:
            ended = told_by_webhook(receiver, lambda alert: _is(alert, "backlog", queue) and _ends(alert))
            return ended and told_by_mail(box, "Resolved", f"backlog: {subject}")

        eventually(says_it_is_over, WITHIN_S - (time.monotonic() - gone_at))
        rules = [each["rule"] for each in transferscope.json("query", "alerts") if queue in each["subject"]]
        assert sorted(rules) == ["backlog", "no-consumer"], "each once"
        alerts.end()
        depths = [json.loads(record.value) for record in reader.read_rest()]
    schema = json.loads((SCHEMAS / "broker-depth.schema.json").read_text(encoding="utf-8"))
    for document in depths:
        jsonschema.validate(document, schema)
    assert max(document["depth"] or 0 for document in depths if document["name"] == queue) > LIMIT
    with closing(Database(transferscope.database_url)) as database:
        ages = database.ask("SELECT oldest_s FROM report.backlog WHERE name = %s AND oldest_s IS NOT NULL", [queue])
    assert ages, "the age of what waits is known"
    assert all(0 <= age < 300 for (age,) in ages)


def _is(alert: dict[str, Any], rule: str, queue: str) -> bool:
    labels = alert["labels"]
    return bool(labels["alertname"] == rule and queue in labels["subject"])


def _ends(alert: dict[str, Any]) -> bool:
    """Whether it is over, in contrast to one that is held for half an hour."""
    return datetime.fromisoformat(alert["endsAt"]) <= datetime.now(UTC)
