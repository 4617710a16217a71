"""A store that is lost, put back from a dump made while work went on, and brought up to date out of Kafka."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from consumers.kafka import groups
from consumers.kafka.access import KafkaAccess
from consumers.kafka.feed import feed
from consumers.worker.config import GROUP, TOPICS
from pipeline.store.session import connect
from pipeline.store.totals import totals
from schemas.topics import FTS_TRANSFER
from tests.support import postgres
from tests.support.bridged import lag, records
from tests.support.commands import Commands
from tests.support.programs import postgres_program
from tests.support.recounted import rough_traffic
from tests.support.tables import differences, tables
from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

SEED = 61
MESSAGES = 3_000


@pytest.fixture
def elsewhere(postgres_server: str) -> Iterator[str]:
    """An empty database of another server."""
    with postgres.empty(postgres_server) as url:
        yield url


def test_a_restored_store_and_what_came_since_are_the_store_that_was_lost(
    transferscope: Commands, elsewhere: str, tmp_path: Path
) -> None:
    messages = rough_traffic(MESSAGES, SEED)
    kafka = KafkaAccess((transferscope.settings["TRANSFERSCOPE_KAFKA_BOOTSTRAP"],))
    bridged = records(messages, len(groups.lag(kafka, GROUP, [FTS_TRANSFER])))
    worker = transferscope.start("worker")
    third = MESSAGES // 3
    with closing(connect(transferscope.database_url)) as store:
        feed(kafka, bridged[:third])
        eventually(lambda: lag(kafka) == 0, 120)
        before = datetime.now(UTC)
        feed(kafka, bridged[third : 2 * third])
        stored = sum(totals(store))
        eventually(lambda: sum(totals(store)) > stored, 60)
        dump(transferscope.database_url, tmp_path / "dump")
        feed(kafka, bridged[2 * third :])
        eventually(lambda: lag(kafka) == 0, 120)
        worker.end()
        lost = tables(store)

    restore(tmp_path / "dump", elsewhere)
    with closing(connect(elsewhere)) as store:
        assert next(differences(tables(store), lost), None), "the dump has all of it: the test shows nothing"
        set_back(kafka, before)
        worker = transferscope.start("worker", settings={"TRANSFERSCOPE_DATABASE_URL": elsewhere})
        eventually(lambda: lag(kafka) == 0, 120)
        worker.end()
        found = list(islice(differences(tables(store), lost), 10))
        assert found == [], f"seed {SEED}"
        assert totals(store).duplicate > 0, "what the dump had comes again out of Kafka"
    transferscope("verify", settings={"TRANSFERSCOPE_DATABASE_URL": elsewhere})


def dump(url: str, folder: Path) -> None:
    command = [postgres_program("pg_dump"), "--format=directory", "--jobs=2", f"--file={folder}", url]
    subprocess.run(command, check=True, timeout=120)
    command = [postgres_program("pg_dumpall"), "--roles-only", f"--dbname={url}"]
    roles = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout.splitlines()
    (folder / "roles.sql").write_text("\n".join(line for line in roles if "transferscope" in line))


def restore(folder: Path, url: str) -> None:
    command = [postgres_program("psql"), "--no-psqlrc", "--quiet", f"--file={folder / 'roles.sql'}", url]
    subprocess.run(command, check=True, timeout=60)
    command = [postgres_program("pg_restore"), "--exit-on-error", "--jobs=2", f"--dbname={url}", str(folder)]
    subprocess.run(command, check=True, timeout=120)


def set_back(kafka: KafkaAccess, to: datetime) -> None:
    """The workers' offsets, as the runbook has it; Kafka wants the group without members, and soon knows that."""
    command = [sys.executable, "-m", "kafka.admin", "--bootstrap-servers", kafka.servers[0], "groups", "reset-offsets"]
    command += ["--group-id", GROUP, "--to-datetime", to.isoformat(timespec="seconds")]
    command += [word for topic, number in groups.lag(kafka, GROUP, TOPICS) for word in ("-p", f"{topic}:{number}")]

    def done() -> bool:
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0 and lag(kafka) > 0

    eventually(done, 60)
