"""The housekeeper beside writers and killed in the middle: nothing below the raw floor is left or comes back, nothing
above it is lost."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pipeline.ingest import Ingest
from pipeline.store.session import connect
from pipeline.store.verify import verify
from schemas.envelope import RawMessage
from schemas.topics import FTS_COMPLETE, FTS_START
from tests.support.aged import KEPT, floor_of, keep_house, partitions
from tests.support.database import Database
from tests.support.fts_messages import DAY, HOUR, MINUTE, SECOND, T, complete_fields, raw, start_fields
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]
MIDNIGHT = T - T % DAY
RAW_DAYS_MS = KEPT.raw_days * DAY
DAYS, WRITERS, ROUNDS = 6, 3, 40
RAW = {"start": "event_at", "transfer": "ended_at", "file_state": "event_at", "queue_message": "sampled_at"}
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'transferscope housekeeper'"
    " AND datname = current_database()"
)


def attempt(number: int, day_ms: int) -> list[RawMessage]:
    """A start and its complete on a day; ``number`` makes them their own."""
    at = day_ms + number % 80_000 * SECOND
    own = {"file_id": number, "job_id": f"job-{number}"}
    start = start_fields(**own, transfer_id=f"s{number}", timestamp=at)
    times = {"tr_timestamp_start": at, "timestamp_tr_st": at, "timestamp_tr_comp": at + MINUTE}
    end = complete_fields(**own, tr_id=f"s{number}", tr_timestamp_complete=at + MINUTE, **times)
    received = at + HOUR
    return [
        raw(FTS_START, start, received, identity=f"start {number}"),
        raw(FTS_COMPLETE, end, received, identity=f"end {number}"),
    ]


def below_the_floor(database: Database) -> list[str]:
    """Partitions of single messages, and rows, from before the raw floor."""
    floor = floor_of(database)
    assert floor is not None
    day = database.value("SELECT to_char(to_timestamp(%s) AT TIME ZONE 'UTC', 'YYYYMMDD')", [floor // 1000])
    left = [f"{table}_p{each}" for table in RAW for each in partitions(database, table) if each < day]
    for table, time in RAW.items():
        rows = database.value(f"SELECT count(*) FROM store.{table} WHERE {time} < to_timestamp(%s)", [floor // 1000])
        left += [f"{rows} rows of {table}"] if rows else []
    return left


def test_writers_beside_a_rising_floor_slip_nothing_below_it_and_lose_nothing_above(database: Database) -> None:
    """Every writer writes every day all the time, with what it prepared before the floor rose as well as after."""
    barrier = threading.Barrier(WRITERS + 1)
    problems: list[BaseException] = []
    committed = [0] * WRITERS

    def write(number: int) -> None:
        try:
            with closing(Ingest(database.url)) as ingest:
                ingest.refresh()
                barrier.wait(60)
                for turn in range(ROUNDS):
                    first = (number * ROUNDS + turn) * DAYS
                    batch = [message for day in range(DAYS) for message in attempt(first + day, MIDNIGHT + day * DAY)]
                    result = ingest.commit(batch, ingest.prepare(batch))
                    assert (result.received, result.duplicate) == (len(batch), 0)
                    committed[number] += result.stored
        except BaseException as error:  # noqa: BLE001 - the test fails with whatever it is
            problems.append(error)
            barrier.abort()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    barrier.wait(60)
    risen = 0
    while any(thread.is_alive() for thread in threads):
        # One floor after the other, each tried again and again, as a housekeeper is.
        keep_house(database, MIDNIGHT + min(risen + 1, DAYS - 1) * DAY + RAW_DAYS_MS)
        if floor_of(database) == MIDNIGHT + (risen + 1) * DAY:
            risen += 1
    for thread in threads:
        thread.join(60)
    assert problems == []
    keep_house(database, MIDNIGHT + (DAYS - 1) * DAY + RAW_DAYS_MS)  # alone now: nobody holds anything
    assert floor_of(database) == MIDNIGHT + (DAYS - 1) * DAY
    assert below_the_floor(database) == []
    last = WRITERS * ROUNDS
    assert database.value("SELECT count(*) FROM store.start") == last
    assert database.value("SELECT count(*) FROM store.transfer") == last
    dead = database.value("SELECT count(*) FROM store.dead_letter WHERE reason = 'too_old'")
    assert dead == WRITERS * ROUNDS * DAYS * 2 - sum(committed)
    # Windows keep what was committed before its rows were dropped: none is counted twice, none is lost.
    assert database.ask("SELECT sum(started)::int + sum(ok)::int FROM report.link_1d") == [(sum(committed),)]
    with closing(connect(database.url)) as connection:
        assert verify(connection).differing == 0


@contextmanager
def process(database: Database, now_ms: int) -> Iterator[subprocess.Popen[str]]:
    days = [str(number) for number in KEPT]
    program = [sys.executable, "-m", "tests.support.housekeeping_program", database.url, str(now_ms), *days]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


HOLDING = {
    "before the floor": "SELECT pg_advisory_xact_lock_shared(1953723503)",
    "the making of partitions": "SELECT pg_advisory_xact_lock(1953722465)",
    "a table in the middle": "LOCK TABLE store.transfer IN ACCESS SHARE MODE",
    "the last table": "LOCK TABLE store.queue_message IN ACCESS SHARE MODE",
    "the dead letters": "LOCK TABLE store.dead_letter IN SHARE MODE",
    "what was heard": "LOCK TABLE store.source_10m IN SHARE MODE",
}


@pytest.mark.parametrize("step", HOLDING)
def test_killed_at_any_step_the_next_one_does_the_rest(database: Database, ingest: Ingest, step: str) -> None:
    days = [MIDNIGHT + number * DAY for number in range(3)]
    ingest.process([message for number, day in enumerate(days) for message in attempt(number, day)])
    ingest.process([raw(FTS_COMPLETE, b"no JSON", identity="dead")])
    database.ask("UPDATE store.dead_letter SET died_at = to_timestamp(%s)", [T // 1000])
    windows = database.ask("SELECT window_start, started, ok, bytes_moved FROM report.link_10m ORDER BY 1")
    now_ms = days[2] + RAW_DAYS_MS
    with closing(connect(database.url)) as other, other.cursor() as cursor, process(database, now_ms) as running:
        cursor.execute(HOLDING[step])
        eventually(lambda: database.value(f"{WAITING} AND wait_event_type = 'Lock'"), 30)
        running.kill()
        running.wait(60)
        other.rollback()
    eventually(lambda: database.value(WAITING) == 0, 30)
    assert database.ask("SELECT window_start, started, ok, bytes_moved FROM report.link_10m ORDER BY 1") == windows
    keep_house(database, now_ms)
    assert floor_of(database) == days[2]
    assert below_the_floor(database) == []
    assert database.value("SELECT count(*) FROM store.transfer") == 1
    assert database.value("SELECT count(*) FROM store.dead_letter WHERE emptied_at IS NULL") == 0
    assert database.ask("SELECT window_start, started, ok, bytes_moved FROM report.link_10m ORDER BY 1") == windows


def test_two_processes_at_once_do_it_once(database: Database, ingest: Ingest) -> None:
    ingest.process([message for number in range(4) for message in attempt(number, MIDNIGHT + number * DAY)])
    now_ms = MIDNIGHT + 3 * DAY + RAW_DAYS_MS
    with process(database, now_ms) as one, process(database, now_ms) as other:
        outputs = [each.communicate(timeout=60)[0] for each in (one, other)]
    assert sum(int(text.split("dropped=")[1].split(",")[0]) for text in outputs) == len(RAW) * 3
    assert below_the_floor(database) == []
