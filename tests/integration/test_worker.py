"""The worker as operators run it, on a real Kafka and a real PostgreSQL: all that comes is counted once, whatever goes
away meanwhile."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient

from consumers.kafka import admin
from consumers.kafka.access import KafkaAccess
from consumers.kafka.feed import feed
from pipeline.devstack.plan import KAFKA, POSTGRES
from pipeline.devstack.stack import Stack
from pipeline.simulator import Mix, Simulation, simulate
from pipeline.simulator.check import differences
from pipeline.store.readback import read_back
from pipeline.store.session import connect
from pipeline.store.totals import totals
from schemas.topics import FTS_TRANSFER, MAX_BODY_BYTES
from tests.support import postgres
from tests.support.bridged import lag, records
from tests.support.commands import Commands, Running
from tests.support.emptied import empty_topics
from tests.support.fts_messages import RECENT
from tests.support.services import services
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

PARTITIONS = 4
ROUGH = Mix(duplicate=0.05, late=0.05, displaced=0.3, missing_start=0.1, missing_complete=0.1, poison=0.02)


class World:
    """A Kafka with empty topics, a database with empty tables, and workers between them."""

    def __init__(self, stack: Stack, database_url: str, commands: Commands) -> None:
        self.stack = stack
        self.access = KafkaAccess((stack.env()["TRANSFERSCOPE_KAFKA_BOOTSTRAP"],))
        self.database_url = database_url
        self.commands = commands

    def worker(self, *options: str) -> Running:
        """One that has begun to read."""
        running = self.commands.start("worker", *options)
        running.await_word("our partitions")
        return running

    def send(self, simulation: Simulation) -> None:
        feed(self.access, records(simulation, PARTITIONS))

    def await_all_told(self, within_s: float = 90) -> None:
        """Returns when Kafka has been told that every message is committed."""

        def all_is_told() -> bool:
            return lag(self.access) == 0

        eventually(all_is_told, within_s)

    def received(self) -> int:
        with closing(connect(self.database_url)) as store:
            return sum(totals(store))

    def differences(self, simulation: Simulation) -> list[str]:
        """What differs from the simulator's truth."""
        with closing(connect(self.database_url)) as store:
            return list(differences(simulation.truth(), read_back(store)))


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Services that these tests stop and start."""
    with services(tmp_path_factory.mktemp("worker"), os.environ, {POSTGRES, KAFKA}) as stack:
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
            made = World(own_stack, url, commands)
            admin.ensure_topics(made.access, PARTITIONS)
            empty_topics(made.access.address, [FTS_TRANSFER])
            yield made
        finally:
            commands.close()


def health(worker: Running) -> tuple[int, Any]:
    """Status and body of the health page."""
    address = re.search(r"health page at (\S+)", worker.said())
    assert address is not None
    try:
        with urllib.request.urlopen(address[1], timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def test_rough_traffic_from_kafka_gives_the_simulators_truth(world: World) -> None:
    simulation = simulate(20_000, 1, RECENT, mix=ROUGH)
    worker = world.worker()
    world.send(simulation)
    world.await_all_told()
    assert world.differences(simulation) == []
    status, said = health(worker)
    assert (status, said["healthy"], said["received"]) == (200, True, 20_000)
    worker.end()
    assert "Traceback" not in worker.said()
    assert list(world.commands.current_folder.iterdir()) == []


def test_a_worker_that_comes_later_reads_what_came_before_it_and_ends_in_the_middle_of_it(world: World) -> None:
    simulation = simulate(60_000, 2, RECENT)
    world.send(simulation)
    first = world.worker()
    eventually(world.received, 30)
    first.end()
    assert 0 < world.received() < 60_000, "the test wants it to end in the middle"
    world.worker()
    world.await_all_told()
    assert world.differences(simulation) == []
    assert world.received() == 60_000, "what it had committed when it ended was told"


def test_what_nobody_can_use_becomes_dead_letters_and_the_rest_goes_on(world: World) -> None:
    simulation = simulate(100, 3, RECENT, mix=Mix(poison=0))
    (pattern, *good) = records(simulation, PARTITIONS)
    largest = pattern._replace(value=b"x" * MAX_BODY_BYTES, headers=[("kind", "fts.start"), ("stomp.message-id", "a")])
    bridged_too_large = pattern._replace(
        value=b"y" * 1000,
        headers=[("dead-reason", "too_large"), ("size", "20000000"), ("sha256", "ab"), ("kind", "fts.start")],
    )
    foreign = pattern._replace(value=b"{}", headers=[])
    deep = pattern._replace(value=b'{"a":' * 3000 + b"1" + b"}" * 3000, headers=[("kind", "fts.complete")])
    worker = world.worker()
    feed(world.access, [largest, pattern, *good, bridged_too_large, foreign, deep])
    world.await_all_told()
    with closing(connect(world.database_url)) as store, store.cursor() as cursor:
        cursor.execute("SELECT reason, length(body), headers, ref FROM report.dead_letter ORDER BY reason")
        found = cursor.fetchall()
    assert [(reason, size) for reason, size, *_ in found] == [
        ("not_json", MAX_BODY_BYTES),
        ("too_deep", 5 * 3000 + 1 + 3000),
        ("too_large", 1000),
        ("unknown_kind", 2),
    ]
    assert found[0][2]["message-id"] == "a"
    assert found[2][2]["size"] == "20000000"
    assert all(re.fullmatch(rf"{re.escape(FTS_TRANSFER)}-\d-\d+", ref) for *_, ref in found)
    assert world.received() == 104
    worker.end()


def test_while_postgres_is_away_a_worker_waits_and_loses_nothing(world: World) -> None:
    simulation = simulate(40_000, 4, RECENT)
    worker = world.worker()
    world.send(simulation)
    eventually(world.received, 30)
    world.stack.stop(POSTGRES)
    try:
        eventually(lambda: health(worker)[0] == 503, 30)
        assert "PostgreSQL" in health(worker)[1]["why"]
        told = lag(world.access)
    finally:
        world.stack.start(POSTGRES)
    assert told > 0
    world.await_all_told()
    eventually(lambda: health(worker)[0] == 200, 30)
    assert world.differences(simulation) == []
    worker.end()


def test_a_worker_ends_in_time_while_postgres_is_away(world: World) -> None:
    worker = world.worker()
    world.stack.stop(POSTGRES)
    try:
        world.send(simulate(1000, 5, RECENT))
        eventually(lambda: health(worker)[0] == 503, 30)
        worker.end()
    finally:
        world.stack.start(POSTGRES)


@pytest.mark.parametrize("goes", ["stop", "kill"])
def test_when_kafka_comes_back_the_same_worker_goes_on(world: World, goes: str) -> None:
    simulation = simulate(10_000, 6, RECENT)
    messages = records(simulation, PARTITIONS)
    worker = world.worker()
    feed(world.access, messages[:5000])
    world.await_all_told()
    getattr(world.stack, goes)(KAFKA)
    try:
        eventually(lambda: health(worker)[0] == 503, 60)
        assert "Kafka" in health(worker)[1]["why"]
    finally:
        world.stack.start(KAFKA)
    feed(world.access, messages[5000:])
    world.await_all_told()
    eventually(lambda: health(worker)[0] == 200, 30)
    assert world.differences(simulation) == []
    assert worker.said().count("cannot be reached") <= 2, "an outage is said when it begins, not all the time"
    worker.end()


def test_a_worker_ends_in_time_while_kafka_is_away(world: World) -> None:
    worker = world.worker()
    world.stack.stop(KAFKA)
    try:
        eventually(lambda: health(worker)[0] == 503, 60)
        worker.end()
    finally:
        world.stack.start(KAFKA)


def test_workers_that_come_and_go_share_the_work_and_count_nothing_twice(world: World) -> None:
    simulation = simulate(80_000, 8, RECENT)
    world.send(simulation)
    steady = world.worker()
    for number in range(6):
        passing = world.worker()
        before = world.received()
        eventually(lambda before=before: world.received() > before or lag(world.access) == 0, 30)  # type: ignore[misc]
        passing.end() if number % 2 else passing.kill()
    world.await_all_told()
    assert world.differences(simulation) == []
    steady.end()


def test_more_workers_than_partitions_are_no_harm(world: World) -> None:
    workers = [world.worker() for _ in range(PARTITIONS + 1)]
    world.send(simulate(1000, 9, RECENT))
    world.await_all_told()
    assert sum("more workers than partitions" in worker.said() for worker in workers) >= 1
    for worker in workers:
        worker.end()


def test_the_faust_command_runs_the_same_worker(world: World) -> None:
    simulation = simulate(2000, 10, RECENT)
    world.send(simulation)
    with subprocess.Popen(
        [Path(sys.executable).with_name("faust"), "-A", "consumers.worker.app", "worker"],
        env={**os.environ, **world.commands.settings},
        cwd=world.commands.current_folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as faust:
        try:
            world.await_all_told()
            faust.terminate()
            assert faust.wait(10) == 0
        finally:
            faust.kill()
    assert world.differences(simulation) == []
    assert list(world.commands.current_folder.iterdir()) == []


def test_an_error_that_waiting_does_not_mend_ends_the_worker_and_nothing_is_told(world: World) -> None:
    with closing(connect(world.database_url)) as store, store, store.cursor() as cursor:
        cursor.execute("ALTER TABLE store.source_10m RENAME TO source_elsewhere")
    world.send(simulate(100, 11, RECENT))
    ended = world.commands.run("worker")
    assert ended.code == 2
    assert "run transferscope init" in ended.err.splitlines()[-1]
    assert lag(world.access) == 100
    with closing(connect(world.database_url)) as store, store, store.cursor() as cursor:
        cursor.execute("ALTER TABLE store.source_elsewhere RENAME TO source_10m")
    world.worker()
    world.await_all_told()
    assert world.received() == 100


@pytest.mark.parametrize(
    ("setting", "value", "options", "code", "words"),
    [
        ("KAFKA_BOOTSTRAP", "127.0.0.1:1", [], 3, "Kafka at 127.0.0.1:1 cannot be reached"),
        ("DATABASE_URL", "postgresql://x@127.0.0.1:1/y", [], 3, "PostgreSQL at 127.0.0.1:1/y cannot be reached"),
        ("RETENTION_DAYS", "soon", [], 2, "must be a whole number"),
        ("KAFKA_CA_FILE", "/nonexistent", [], 2, "correct kafka_ca_file"),
        (None, None, ["--health-port", "kafka"], 2, "--health-port"),
    ],
)
def test_what_cannot_work_is_said_in_one_sentence(
    world: World, setting: str | None, value: str | None, options: list[str], code: int, words: str
) -> None:
    settings = {f"TRANSFERSCOPE_{setting}": value} if setting and value else {}
    world.commands("worker", *options, code=code, settings=settings)
    assert words in world.commands.err
    assert world.commands.err.count("\n") == 1


def test_a_port_that_somebody_else_has_is_said_in_one_sentence(world: World) -> None:
    port = world.access.servers[0].partition(":")[2]
    world.commands("worker", "--health-port", port, code=2)
    assert f"the health page cannot have 127.0.0.1:{port} (Address already in use)" in world.commands.err


def test_a_database_without_tables_is_said_in_one_sentence(world: World) -> None:
    with postgres.empty(world.stack.env()["TRANSFERSCOPE_DATABASE_URL"]) as url:
        world.commands("worker", code=2, settings={"TRANSFERSCOPE_DATABASE_URL": url})
    assert "run transferscope init" in world.commands.err


def test_a_kafka_without_topics_is_said_in_one_sentence(world: World) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=list(world.access.servers))) as client:
        client.delete_topics([FTS_TRANSFER])
        eventually(lambda: FTS_TRANSFER not in client.list_topics())
    world.commands("worker", code=2)
    assert f"has no topic {FTS_TRANSFER}: say transferscope init" in world.commands.err
