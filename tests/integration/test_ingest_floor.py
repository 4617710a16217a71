"""The raw floor: what was dropped does not come back, and what lies above it still counts however late it comes."""

from __future__ import annotations

import pytest

from pipeline.ingest import BatchResult, Ingest
from schemas.topics import FTS_COMPLETE, FTS_START
from tests.support.database import Database
from tests.support.fts_messages import DAY, HOUR, MINUTE, SECOND, T, complete_fields, raw, start_fields

pytestmark = pytest.mark.stack

MIDNIGHT = T - T % DAY


@pytest.fixture
def floor(database: Database) -> int:
    database.ask("INSERT INTO store.setting (name, value) VALUES ('raw_floor_ms', %s)", [str(MIDNIGHT)])
    return MIDNIGHT


def test_messages_of_dropped_days_are_dead_and_make_no_partition(
    ingest: Ingest, database: Database, floor: int
) -> None:
    batch = [
        raw(FTS_START, start_fields(timestamp=floor - 1), identity="1"),
        raw(FTS_START, start_fields(timestamp=floor), identity="2"),
        raw(FTS_COMPLETE, complete_fields(tr_timestamp_complete=floor - 1), identity="3"),
    ]
    assert ingest.process(batch) == BatchResult(received=3, stored=1, duplicate=0, dead=2)
    assert database.ask("SELECT DISTINCT reason FROM report.dead_letter") == [("too_old",)]
    assert database.ask("SELECT count(*) FROM pg_class WHERE relname ~ '^start_p[0-9]+$'") == [(1,)]


def test_bytes_that_moved_on_dropped_days_count_at_the_event_time(
    ingest: Ingest, database: Database, floor: int
) -> None:
    fields = complete_fields(
        tr_timestamp_start=floor - HOUR,
        tr_timestamp_complete=floor + HOUR,
        timestamp_tr_st=floor - 1,
        timestamp_tr_comp=floor + HOUR,
    )
    ingest.process([raw(FTS_COMPLETE, fields)])
    assert database.ask("SELECT window_start, bytes_moved, interval_ignored FROM report.link_1d") == [
        (database.value("SELECT '2026-11-22T00:00Z'::timestamptz"), 1000, 1)
    ]


def test_a_floor_that_is_raised_meanwhile_is_taken_up_with_the_next_batch(ingest: Ingest, database: Database) -> None:
    assert ingest.process([raw(FTS_START, start_fields(), identity="1")]).stored == 1
    database.ask("INSERT INTO store.setting (name, value) VALUES ('raw_floor_ms', %s)", [str(MIDNIGHT + DAY)])
    later = raw(FTS_START, start_fields(timestamp=T + SECOND), identity="2")
    assert ingest.process([later]) == BatchResult(received=1, stored=0, duplicate=0, dead=1)


def test_whatever_lies_above_the_floor_updates_its_window_however_late(
    ingest: Ingest, database: Database, floor: int
) -> None:
    received = [T + HOUR, T + 2 * DAY, T + 29 * DAY]
    for number, at in enumerate(received):
        fields = complete_fields(file_id=number, tr_id=f"id-{number}", tr_timestamp_complete=T + MINUTE)
        ingest.process([raw(FTS_COMPLETE, fields, at, identity=str(number))])
    assert database.ask("SELECT ok, bytes FROM report.link_10m") == [(3, 3000)]
