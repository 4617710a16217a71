"""Tables are changed under writers: nobody waits for long, and what was broken off is finished by the next try."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pipeline.ingest import Ingest
from pipeline.store import locks, programs, versions
from pipeline.store.session import connect
from schemas.envelope import RawMessage
from schemas.topics import FTS_COMPLETE
from tests.support.database import Database
from tests.support.fts_messages import DAY, MINUTE, SECOND, T, complete_fields, raw
from tests.support.release import release, version
from tests.support.shell import Shell
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

REPORT_S = 6.0
BUILD_S = 5.0
WITHIN_S = 3.0
"""A writer may wait so long: a second for a lock, and what a busy machine needs besides."""

ADD_COLUMN = """
oldest_program = "{oldest}"

def upgrade() -> None:
    op.execute("ALTER TABLE store.transfer ADD COLUMN colour text")
"""
SLOW_INDEX = """
oldest_program = "{oldest}"

def upgrade() -> None:
    add_index("transfer_slow", "transfer", "(store.slowly(job_id))")
"""
SLOWLY = """
CREATE FUNCTION store.slowly(said text) RETURNS text LANGUAGE plpgsql IMMUTABLE
AS $$ BEGIN PERFORM pg_sleep({pause_s}); RETURN said; END $$
"""
CONTRACT = """
def upgrade() -> None:
    op.execute("ALTER TABLE store.transfer DROP COLUMN retry_max CASCADE")
"""
UPGRADE = "import sys; from pipeline.store import migrations; migrations.upgrade(sys.argv[1])"
INDEXES = """
SELECT c.relname, x.indisvalid FROM pg_class AS c JOIN pg_index AS x ON x.indexrelid = c.oid
WHERE c.relname LIKE '%%transfer_slow%%' OR pg_get_indexdef(c.oid) LIKE '%%slowly%%'
"""


def messages(first: int, number: int = 10, day: int = 0) -> list[RawMessage]:
    return [
        raw(
            FTS_COMPLETE,
            complete_fields(
                file_id=each,
                tr_timestamp_start=T - day * DAY,
                tr_timestamp_complete=T - day * DAY + MINUTE + each * SECOND // 100,
            ),
            identity=f"test:{each}",
        )
        for each in range(first, first + number)
    ]


class Writing:
    """A writer that commits small batches one after the other, and how long the longest took."""

    def __init__(self, url: str) -> None:
        self.longest_s = 0.0
        self.committed = 0
        self.day = 0
        self.problem: Exception | None = None
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer")

    def _run(self) -> None:
        try:
            with closing(Ingest(self._url)) as ingest:
                while not self._stop.is_set():
                    began = time.monotonic()
                    done = ingest.process(messages(1_000_000 + self.committed, day=self.day))
                    assert done.stored == done.received
                    self.longest_s = max(self.longest_s, time.monotonic() - began)
                    self.committed += done.stored
        except Exception as problem:  # noqa: BLE001 - the thread's outermost frame; the test looks at it
            self.problem = problem

    @contextmanager
    def going_on(self) -> Iterator[None]:
        self._thread.start()
        try:
            eventually(lambda: self.committed > 50)
            self.longest_s = 0.0
            yield
        finally:
            self._stop.set()
            self._thread.join()


class Upgrading:
    """A release to come that migrates the database, as a process beside the test."""

    def __init__(self, url: str, environment: dict[str, str], folder: Path) -> None:
        command = [sys.executable, "-P", "-c", UPGRADE, url]  # and not what lies in the current folder
        self._log = folder / "upgrade.log"
        with self._log.open("wb") as said:
            self.process = subprocess.Popen(command, env=os.environ | environment, stderr=said)

    def said(self) -> str:
        return self._log.read_text()

    def await_waiting(self) -> None:
        eventually(lambda: "the tables are in use" in self.said())

    def end(self) -> None:
        assert self.process.wait(120) == 0, self.said()


@pytest.fixture
def expand(tmp_path: Path) -> dict[str, str]:
    return release(tmp_path / "expand", [ADD_COLUMN.format(oldest=version(0))])


def test_a_column_is_added_under_writers_and_a_long_report_without_keeping_writers_waiting(
    database: Database, expand: dict[str, str], tmp_path: Path
) -> None:
    writing = Writing(database.url)
    with writing.going_on(), closing(connect(database.url)) as report, report.cursor() as reading:
        reading.execute("SELECT count(*) FROM report.transfer")  # and keeps its transaction open
        upgrading = Upgrading(database.url, expand, tmp_path)
        upgrading.await_waiting()
        time.sleep(REPORT_S)
        assert versions.current(database.url) == version(0)
        report.rollback()
        upgrading.end()
    assert writing.problem is None
    assert writing.longest_s < WITHIN_S
    assert versions.current(database.url) == version(1)
    assert database.value("SELECT count(*) FROM store.transfer WHERE colour IS NULL") == writing.committed


def slow_release(folder: Path, database: Database, rows: Sequence[int]) -> dict[str, str]:
    """A release whose index takes BUILD_S over the rows that are there, a share of them in each of two partitions."""
    with closing(Ingest(database.url)) as ingest:
        for day, number in enumerate(rows):
            ingest.process(messages(day * 10_000, number, day))
    database.ask(SLOWLY.format(pause_s=BUILD_S / sum(rows)))
    return release(folder, [SLOW_INDEX.format(oldest=version(0))])


def test_an_index_is_built_under_writers_without_keeping_them_waiting(database: Database, tmp_path: Path) -> None:
    to_come = slow_release(tmp_path / "slow", database, (400, 400))
    writing = Writing(database.url)
    with writing.going_on():
        began = time.monotonic()
        upgrading = Upgrading(database.url, to_come, tmp_path)
        eventually(lambda: len(database.ask(INDEXES)) > 1)
        writing.day = 2  # a partition that is made meanwhile
        upgrading.end()
        assert time.monotonic() - began > BUILD_S, "it was built in no time: the test shows nothing"
        eventually(lambda before=writing.committed: writing.committed > before)  # type: ignore[misc]
    assert writing.problem is None
    assert writing.longest_s < WITHIN_S
    whole = dict(database.ask(INDEXES))
    assert len(whole) == 4
    assert all(whole.values()), whole


def test_an_index_that_was_broken_off_is_finished_by_the_next_try(database: Database, tmp_path: Path) -> None:
    to_come = slow_release(tmp_path / "slow", database, (50, 400))
    upgrading = Upgrading(database.url, to_come, tmp_path)
    eventually(lambda: len(database.ask(INDEXES)) > 2)
    upgrading.process.kill()
    upgrading.process.wait()
    database.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'transferscope init'"
        " AND datname = current_database()"
    )
    assert not all(dict(database.ask(INDEXES)).values()), "nothing was left over: the test shows nothing"
    assert versions.current(database.url) == version(0)
    Upgrading(database.url, to_come, tmp_path).end()
    whole = dict(database.ask(INDEXES))
    assert len(whole) == 3
    assert all(whole.values()), whole
    assert versions.current(database.url) == version(1)


def test_a_program_works_on_beside_newer_tables_until_they_cannot_be_borne(
    database: Database, ingest: Ingest, expand: dict[str, str], tmp_path: Path
) -> None:
    with_contract = release(tmp_path / "contract", [ADD_COLUMN.format(oldest=version(0)), CONTRACT])
    Upgrading(database.url, expand, tmp_path).end()
    fit = programs.fit(database.url)
    assert (fit.version, fit.oldest_program, fit.problem) == (version(1), version(0), None)
    assert fit.is_newer
    assert ingest.process(messages(1)).stored == 10
    batch = messages(100)
    prepared = ingest.prepare(batch)
    Upgrading(database.url, with_contract, tmp_path).end()
    for attempt in (lambda: ingest.commit(batch, prepared), ingest.refresh):
        with pytest.raises(programs.Superseded) as found:
            attempt()
        assert version(2) in str(found.value)
    assert programs.fit(database.url).problem == str(found.value)
    assert database.value("SELECT count(*) FROM store.transfer") == 10


def test_commands_of_an_older_release_tell_how_it_stands_and_change_nothing(
    shell: Shell, database: Database, expand: dict[str, str], tmp_path: Path
) -> None:
    def tables(code: int) -> tuple[str, str]:
        found = shell.json("doctor", code=code)["checks"]
        return next((each["verdict"], each["detail"]) for each in found if each["what"] == "tables")

    rights = "SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'store'::regnamespace ORDER BY 1"
    Upgrading(database.url, expand, tmp_path).end()
    database.ask("GRANT SELECT ON store.start TO transferscope_reader")
    before = database.ask(rights)
    assert tables(0) == ("ok", f"version {version(1)}, which a program of {version(0)} works with")
    assert [step["what"] for step in shell.json("init") if step["is_new"]] == []
    assert database.ask(rights) == before, "rights that the newer release set are not ours to take back"
    with_contract = release(tmp_path / "contract", [ADD_COLUMN.format(oldest=version(0)), CONTRACT])
    Upgrading(database.url, with_contract, tmp_path).end()
    refusal = f"the tables need a program of version {version(2)} or newer, this one is {version(0)}"
    verdict, detail = tables(1)
    assert verdict == "wrong"
    assert refusal in detail
    shell("init", code=2)
    assert refusal in shell.err


def test_a_contract_waits_for_the_batch_under_way(database: Database, tmp_path: Path) -> None:
    """A writer between its check and its commit shares the topology."""
    to_come = release(tmp_path / "contract", [CONTRACT])
    with closing(connect(database.url)) as writer, writer.cursor() as batch:
        locks.share_topology(batch)
        upgrading = Upgrading(database.url, to_come, tmp_path)
        upgrading.await_waiting()
        assert versions.current(database.url) == version(0)
        writer.commit()
    upgrading.end()
    assert upgrading.said().count("the tables are in use") == 1
    assert versions.current(database.url) == version(1)


def test_a_later_expand_does_not_take_back_what_a_contract_said(database: Database, tmp_path: Path) -> None:
    to_come = release(tmp_path / "both", [CONTRACT, ADD_COLUMN.format(oldest=version(0))])
    Upgrading(database.url, to_come, tmp_path).end()
    assert programs.fit(database.url).oldest_program == version(1)
