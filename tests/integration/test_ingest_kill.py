"""``kill -9`` of a writer at any step: what is done again counts once, and what was not committed is not there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from random import Random

import pytest

from pipeline.store.session import connect
from pipeline.store.verify import verify
from tests.support.database import Database
from tests.support.oracle import Expected, expect
from tests.support.stored import differences
from tests.support.traffic import record
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]
MESSAGES, BATCH = 500, 40
WRITES_IN_ORDER = ["start", "transfer", "dead_letter", "link_hist", "link_10m", "link_1h", "link_1d", "source_10m"]
WRITERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'transferscope writer'"
    " AND datname = current_database()"
)


def nowhere(host: str, at_ms: int) -> tuple[str, str]:
    """A store without a topology knows no site."""
    return "unknown", "unknown"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Expected]:
    path = tmp_path_factory.mktemp("recorded") / "rough.jsonl"
    record(path, MESSAGES, seed=5)
    return path, expect(path, nowhere)


@contextmanager
def writer(database: Database, path: Path) -> Iterator[subprocess.Popen[str]]:
    """A writer in a process of its own, killed at the end if it still runs."""
    program = [sys.executable, "-m", "tests.support.ingest_program", database.url, str(path), str(BATCH)]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def committed(process: subprocess.Popen[str]) -> int:
    """Wait for the next commit; 0 when there is none any more."""
    assert process.stdout is not None
    return int(process.stdout.readline() or 0)


def run_to_the_end(database: Database, path: Path) -> None:
    with writer(database, path) as process:
        while committed(process):
            pass
        assert process.wait(timeout=60) == 0


def assert_equal(database: Database, expected: Expected) -> None:
    with closing(connect(database.url)) as connection:
        assert list(differences(expected, connection)) == []
        assert verify(connection).differing == 0


def test_killed_again_and_again_between_and_within_batches(database: Database, recorded: tuple[Path, Expected]) -> None:
    path, expected = recorded
    rng = Random(3)
    for _ in range(5):
        with writer(database, path) as process:
            for _ in range(rng.randint(1, MESSAGES // BATCH)):
                committed(process)
            process.kill()  # wherever the next batch is by now
    run_to_the_end(database, path)
    assert_equal(database, expected)


@pytest.mark.parametrize("table", WRITES_IN_ORDER)
def test_killed_at_each_table_that_a_batch_writes(
    database: Database, recorded: tuple[Path, Expected], table: str
) -> None:
    path, expected = recorded
    with closing(connect(database.url)) as other, other.cursor() as cursor, writer(database, path) as process:
        committed(process)
        cursor.execute(f"LOCK TABLE store.{table} IN SHARE MODE")  # readers go on, the writer stops here
        eventually(lambda: database.value(f"{WRITERS} AND wait_event_type = 'Lock'"))
        before = count_all(database)
        process.kill()
        process.wait(timeout=60)
        other.rollback()
        eventually(lambda: database.value(WRITERS) == 0)
        assert count_all(database) == before
    run_to_the_end(database, path)
    assert_equal(database, expected)


def test_others_go_on_while_one_is_killed(database: Database, recorded: tuple[Path, Expected]) -> None:
    path, expected = recorded
    with ExitStack() as running:
        survivors = [running.enter_context(writer(database, path)) for _ in range(2)]
        with writer(database, path) as victim:
            committed(victim)
            committed(victim)
            victim.kill()
        for survivor in survivors:
            while committed(survivor):
                pass
            assert survivor.wait(timeout=120) == 0
    assert_equal(database, expected)


def count_all(database: Database) -> int:
    return int(database.value("SELECT sum(received)::int FROM report.source_10m"))
