"""The relay as operators run it, on a real Kafka and a real PostgreSQL: all is told, whatever goes away meanwhile."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from consumers.kafka import admin
from consumers.kafka.access import KafkaAccess
from pipeline.devstack.plan import KAFKA, POSTGRES
from pipeline.devstack.stack import Stack
from pipeline.ingest import Ingest
from pipeline.simulator import Mix, simulate
from pipeline.stages.alert_rules import Finding
from pipeline.store import alerts
from pipeline.store.session import Cursor, connect
from schemas.topics import ALERTS, DEAD_LETTERS, TRANSFERS
from tests.support import bridged, postgres
from tests.support.commands import Commands, Running
from tests.support.database import Database
from tests.support.kafka_reader import Found, KafkaReader
from tests.support.services import services
from tests.support.told import assert_told
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

T = 1_795_312_800_000
ROUGH = Mix(duplicate=0.05, late=0.05, displaced=0.3, missing_start=0.1, missing_complete=0.1, poison=0.02)
NOON = datetime(2026, 11, 26, 12, 0, 0, 1000, tzinfo=UTC)
VALUES = (0.0, 1 / 3, 1e-300, 1e300)
SCHEMAS = Path(__file__).parents[2] / "schemas"


class World:
    """A database of this test's own with much to tell, and relays between it and Kafka."""

    def __init__(self, stack: Stack, database_url: str, commands: Commands) -> None:
        self.stack = stack
        self.url = database_url
        self.bootstrap = stack.env()["TRANSFERSCOPE_KAFKA_BOOTSTRAP"]
        self.commands = commands

    def fill(self, messages: int, seed: int) -> None:
        read = bridged.read(bridged.records(simulate(messages, seed, T, mix=ROUGH), 1))
        with closing(Ingest(self.url)) as ingest:
            for begin in range(0, len(read), 500):
                ingest.process(read[begin : begin + 500])

    def relay(self) -> Running:
        return self.commands.start("relay")

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(Database(self.url)) as database:
            return database.ask(statement)

    def waiting(self) -> int:
        ((rows,),) = self.ask("SELECT coalesce(sum(cardinality(keys)), 0)::int FROM store.outbox")
        return int(rows)

    def await_all_told(self) -> None:
        eventually(lambda: self.waiting() == 0, 60)

    def assert_told(self, found: list[Found]) -> None:
        """The last document of each transfer is its row."""
        assert_told(found, self.url)
        assert len({record.key for record in found}) > 500


def assert_as_the_schema_says(name: str, records: list[Found]) -> list[Any]:
    """The documents of these records, each valid and under its id."""
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    documents = []
    for record in records:
        document = json.loads(record.value)
        validator.validate(document)
        assert record.key == record.headers["id"].decode() == str(document["id"])
        documents.append(document)
    return documents


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Services that these tests stop and start."""
    with services(tmp_path_factory.mktemp("relay"), os.environ, {POSTGRES, KAFKA}) as stack:
        admin.ensure_topics(KafkaAccess((stack.env()["TRANSFERSCOPE_KAFKA_BOOTSTRAP"],)), 2)
        yield stack


@pytest.fixture(scope="module")
def migrated_url(own_stack: Stack) -> Iterator[str]:
    with postgres.template(own_stack.env()["TRANSFERSCOPE_DATABASE_URL"]) as url:
        yield url


@pytest.fixture
def world(own_stack: Stack, migrated_url: str, tmp_path: Path) -> Iterator[World]:
    with postgres.copy_of(migrated_url) as url:
        commands = Commands(own_stack.env() | {"TRANSFERSCOPE_DATABASE_URL": url}, tmp_path)
        try:
            yield World(own_stack, url, commands)
        finally:
            commands.close()


def test_all_is_told_as_the_schemas_say_under_its_id(world: World) -> None:
    world.fill(2000, 1)
    with KafkaReader(world.bootstrap, TRANSFERS) as transfers, KafkaReader(world.bootstrap, DEAD_LETTERS) as dead:
        relay = world.relay()
        world.await_all_told()
        relay.end()
        world.assert_told(transfers.read_rest())
        letters = dead.read_rest()
        assert {int(record.key) for record in letters} == {n for (n,) in world.ask("SELECT id FROM report.dead_letter")}
        assert_as_the_schema_says("transfer", transfers.found)
        assert_as_the_schema_says("dead-letter", letters)
    assert "Traceback" not in relay.said()
    assert "relaying" in relay.said()


def test_alerts_are_told_as_the_schema_says_open_silenced_and_cleared(world: World) -> None:
    """Of every state that an alert can be in, through the outbox, the relay and Kafka."""
    findings = [Finding("link-health", f"A > {n}", value, 0.45, 'a "fall"\x1b\u202e') for n, value in enumerate(VALUES)]

    def write(change: Callable[[Cursor], object]) -> None:
        with closing(connect(world.url)) as connection, connection, connection.cursor() as cursor:
            change(cursor)

    with KafkaReader(world.bootstrap, ALERTS) as reader:
        relay = world.relay()
        for finding in findings:
            write(partial(alerts.raise_alert, finding=finding, at=NOON))
        world.await_all_told()
        world.ask(
            "INSERT INTO store.silence (rule, subject, reason, author, created_at, ends_at)"
            " SELECT 'link-*', 'A > 0', '', '', raised_at, raised_at + interval '1 h' FROM store.alert LIMIT 1"
        )
        for finding in findings[:2]:
            write(partial(alerts.clear_alert, rule=finding.rule, subject=finding.subject, at=NOON + timedelta(hours=2)))
        world.await_all_told()
        relay.end()
        told = assert_as_the_schema_says("alert", reader.read_rest())
    assert len(told) == len(findings) + 2
    last = {document["subject"]: document for document in told}
    for finding in findings:
        shown = last[finding.subject]
        assert (shown["rule"], shown["value"], shown["threshold"], shown["detail"]) == (
            finding.rule,
            finding.value,
            finding.threshold,
            finding.detail,
        )
    states = {name: (d["cleared_at"] is not None, d["silenced_until"] is not None) for name, d in last.items()}
    assert states == {"A > 0": (True, True), "A > 1": (True, False), "A > 2": (False, False), "A > 3": (False, False)}


def test_killed_in_the_middle_the_next_one_tells_the_rest(world: World) -> None:
    world.fill(20_000, 2)
    before = world.waiting()
    with KafkaReader(world.bootstrap, TRANSFERS) as reader:
        first = world.relay()
        eventually(lambda: world.waiting() < before, 30)
        first.kill()
        assert world.waiting() > 0, "the test wants it to die in the middle"
        world.relay()
        world.await_all_told()
        world.assert_told(reader.read_rest())


def test_while_kafka_is_away_nothing_is_forgotten(world: World) -> None:
    relay = world.relay()
    relay.await_word("relaying")
    with KafkaReader(world.bootstrap, TRANSFERS) as reader:
        world.stack.stop(KAFKA)
        try:
            world.fill(2000, 3)
            waiting = world.waiting()
            time.sleep(3)
            assert world.waiting() == waiting > 0
        finally:
            world.stack.start(KAFKA)
        world.await_all_told()
        relay.end()
        world.assert_told(reader.read_rest())
    assert "Traceback" not in relay.said()


def test_a_relay_ends_in_time_while_kafka_is_away(world: World) -> None:
    relay = world.relay()
    relay.await_word("relaying")
    world.stack.stop(KAFKA)
    try:
        world.fill(1000, 4)
        relay.end()
        assert world.waiting() > 0
    finally:
        world.stack.start(KAFKA)


def test_while_postgres_is_away_it_waits(world: World) -> None:
    relay = world.relay()
    relay.await_word("relaying")
    world.stack.stop(POSTGRES)
    try:
        relay.await_word("waiting for it")
    finally:
        world.stack.start(POSTGRES)
    relay.await_word("PostgreSQL is back")
    with KafkaReader(world.bootstrap, TRANSFERS) as reader:
        world.fill(2000, 5)
        world.await_all_told()
        relay.end()
        world.assert_told(reader.read_rest())


def test_a_second_relay_stands_by_until_the_first_dies(world: World) -> None:
    first = world.relay()
    first.await_word("relaying")
    second = world.relay()
    second.await_word("standing by")
    first.kill()
    second.await_word("relaying")
    second.end()
