"""Retention on a real store: what is older goes, what must remain is there cell by cell, and nobody slips a row below
the raw floor."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from pipeline.batches import batches
from pipeline.ingest import BatchResult, Ingest
from pipeline.store.housekeeping import AHEAD_DAYS, Done
from pipeline.store.recompute import recompute
from pipeline.store.retention import Retention
from pipeline.store.session import connect
from pipeline.store.verify import BelowRawFloor, verify
from pipeline.topology.resolve import Topology
from schemas.envelope import RawMessage
from schemas.topics import FTS_COMPLETE, FTS_START
from tests.support.aged import floor_of, housekeeper, keep_house, kept_of, partitions
from tests.support.database import Database
from tests.support.fts_messages import DAY, HOUR, MINUTE, SECOND, T, complete_fields, raw, start_fields
from tests.support.oracle import Expected, expect
from tests.support.recounted import nowhere
from tests.support.stored import differences
from tests.support.traffic import record

pytestmark = pytest.mark.stack

MIDNIGHT = T - T % DAY
RAW, BASE = ("start", "transfer", "file_state", "queue_message"), ("link_10m", "link_hist", "flow_10m", "error_10m")
DAYS_30 = 30 * DAY


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[RawMessage], Expected]:
    """Messages of five days, MIDNIGHT's the last but one."""
    path = tmp_path_factory.mktemp("aged") / "rough.jsonl"
    return record(path, 1200, seed=11), expect(path, nowhere)


def fill(ingest: Ingest, messages: list[RawMessage]) -> None:
    for batch in batches(iter(messages), lambda message: 1, 300):
        ingest.process(batch)


def assert_holds(database: Database, expected: Expected) -> None:
    with closing(connect(database.url)) as connection:
        assert list(differences(expected, connection)) == []
        assert verify(connection).differing == 0


def test_single_messages_go_and_all_windows_stay(
    ingest: Ingest, database: Database, recorded: tuple[list[RawMessage], Expected]
) -> None:
    messages, expected = recorded
    fill(ingest, messages)
    done = keep_house(database, MIDNIGHT + DAYS_30 + HOUR)
    assert (done.dropped, floor_of(database)) == (len(RAW) * 4, MIDNIGHT)
    kept = kept_of(expected, raw_ms=MIDNIGHT, base_ms=0)
    assert 100 < len(kept.transfers) < len(expected.transfers)
    assert_holds(database, kept)
    assert keep_house(database, MIDNIGHT + DAYS_30 + 2 * HOUR).dropped == 0


def test_base_windows_go_and_hours_and_days_stay(
    ingest: Ingest, database: Database, recorded: tuple[list[RawMessage], Expected]
) -> None:
    messages, expected = recorded
    fill(ingest, messages)
    keep_house(database, MIDNIGHT + 10 * DAY, Retention(10, 11, 730))
    assert partitions(database, "transfer")[0] == "20261122"
    assert {partitions(database, table)[0] for table in BASE} == {"20261121"}
    assert_holds(database, kept_of(expected, raw_ms=MIDNIGHT, base_ms=MIDNIGHT - DAY))


def test_hours_go_by_whole_months_and_days_never(ingest: Ingest, database: Database) -> None:
    for event_ms in (T - 60 * DAY, T):
        fields = complete_fields(tr_timestamp_complete=event_ms + MINUTE, tr_timestamp_start=event_ms)
        ingest.process([raw(FTS_COMPLETE, fields, event_ms + HOUR)])
    keep_house(database, T, Retention(1, 1, 53))  # the 30th of September
    assert partitions(database, "link_1h") == ["202609", "202611"]
    keep_house(database, T, Retention(1, 1, 51))  # the 2nd of October
    assert partitions(database, "link_1h") == ["202611"]
    assert database.value("SELECT sum(ok)::int FROM report.link_1d") == 2


def test_partitions_are_made_ahead_with_the_months_and_years_they_begin(database: Database) -> None:
    now_ms = T + 38 * DAY  # the 30th of December
    assert keep_house(database, now_ms) == Done()
    days = ["20261230", "20261231", "20270101", "20270102"]
    assert len(days) == AHEAD_DAYS + 1
    assert {table: partitions(database, table) for table in ("start", "queue_sample", "link_hist")} == {
        "start": days,
        "queue_sample": days,
        "link_hist": days,
    }
    assert partitions(database, "flow_1h") == ["202612", "202701"]
    assert partitions(database, "link_1d") == ["2026", "2027"]
    assert floor_of(database) is None, "nothing was dropped"


def test_days_that_were_made_ahead_are_not_compared(ingest: Ingest, database: Database) -> None:
    ingest.process([raw(FTS_START, start_fields())])
    keep_house(database, T)
    with closing(connect(database.url)) as connection:
        report = verify(connection)
    assert (report.window_to - report.window_from).days == 1


def test_a_writer_with_the_old_floor_prepares_its_batch_anew(ingest: Ingest, database: Database) -> None:
    """The floor rises between preparing and committing: what lies below is dead, and no partition is made there."""
    ingest.process([raw(FTS_START, start_fields(), identity="1")])
    batch = [
        raw(FTS_START, start_fields(timestamp=T + SECOND), identity="2"),
        raw(FTS_START, start_fields(timestamp=T - 5 * DAY), T, identity="3"),
        raw(FTS_COMPLETE, complete_fields(tr_timestamp_complete=MIDNIGHT + DAY), MIDNIGHT + DAY, identity="4"),
    ]
    prepared = ingest.prepare(batch)
    keep_house(database, MIDNIGHT + DAY + DAYS_30)
    assert ingest.commit(batch, prepared) == BatchResult(received=3, stored=1, duplicate=0, dead=2)
    assert database.ask("SELECT reason, count(*) FROM report.dead_letter GROUP BY 1") == [("too_old", 2)]
    assert [day for table in (*RAW, *BASE) for day in partitions(database, table) if day < "20261122"] == []
    assert [day for table in RAW for day in partitions(database, table) if day < "20261123"] == []


def test_a_late_complete_counts_without_its_dropped_start(ingest: Ingest, database: Database) -> None:
    start_ms, floor = MIDNIGHT - MINUTE, MIDNIGHT
    ended = floor + HOUR
    times = {"tr_timestamp_start": start_ms, "timestamp_tr_st": start_ms, "timestamp_tr_comp": ended}
    ingest.process([raw(FTS_START, start_fields(timestamp=start_ms), identity="1")])
    keep_house(database, floor + DAYS_30)
    late = raw(FTS_COMPLETE, complete_fields(**times, tr_timestamp_complete=ended), ended, identity="2")
    assert ingest.process([late]).stored == 1
    assert database.ask("SELECT start_message_at FROM report.transfer") == [(None,)]
    assert database.ask("SELECT sum(ok)::int, sum(started)::int, sum(interval_ignored)::int FROM report.link_1d") == [
        (1, 1, 1)
    ]


def test_recompute_leaves_windows_below_the_floor_alone(ingest: Ingest, database: Database) -> None:
    """Bytes of a transfer above the floor that moved on the day below it, of which nothing else is known any more."""
    times = {"tr_timestamp_start": MIDNIGHT - HOUR, "timestamp_tr_st": MIDNIGHT - HOUR, "timestamp_tr_comp": MIDNIGHT}
    ended = raw(FTS_COMPLETE, complete_fields(**times, tr_timestamp_complete=MIDNIGHT + MINUTE), identity="1")
    before = raw(FTS_COMPLETE, complete_fields(file_id=8, tr_timestamp_complete=MIDNIGHT - MINUTE), identity="2")
    ingest.process([ended, before])
    windows = "SELECT window_start, ok, bytes_moved FROM report.link_10m ORDER BY 1"
    shown = database.ask(windows)
    keep_house(database, MIDNIGHT + DAYS_30)
    with closing(connect(database.url)) as one, closing(connect(database.url)) as other:
        assert recompute(one, other, Topology.empty()).days == 1
        assert verify(one).differing == 0
        for work in (lambda: verify(one, MIDNIGHT - 1), lambda: recompute(one, other, Topology.empty(), MIDNIGHT - 1)):
            with pytest.raises(BelowRawFloor, match="2026-11-22"):
                work()
        assert verify(one, MIDNIGHT).differing == 0
    assert database.ask(windows) == shown


def test_what_somebody_holds_is_dropped_another_time_and_nobody_waits_long(ingest: Ingest, database: Database) -> None:
    ingest.process([raw(FTS_START, start_fields())])
    with closing(connect(database.url)) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM store.transfer")
        keep_house(database, MIDNIGHT + DAY + DAYS_30)
        assert floor_of(database) == MIDNIGHT + DAY
        assert partitions(database, "start")[0] > "20261122"
        assert partitions(database, "transfer")[0] == "20261122"
        later = raw(FTS_START, start_fields(timestamp=MIDNIGHT + DAY), MIDNIGHT + DAY, identity="2")
        assert ingest.process([later]).stored == 1
        reader.rollback()
    keep_house(database, MIDNIGHT + DAY + DAYS_30)
    assert partitions(database, "transfer")[0] > "20261122"


def test_while_somebody_writes_the_floor_stays(ingest: Ingest, database: Database) -> None:
    ingest.process([raw(FTS_START, start_fields())])
    with closing(connect(database.url)) as writer, writer.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", (0x7473_746F,))
        assert keep_house(database, MIDNIGHT + DAY + DAYS_30).dropped == 0
        assert floor_of(database) is None
        writer.rollback()
    assert keep_house(database, MIDNIGHT + DAY + DAYS_30).dropped == len(RAW)


def test_keys_that_must_be_searched_everywhere_go_with_their_completes(ingest: Ingest, database: Database) -> None:
    for number, ended in enumerate((MIDNIGHT - HOUR, MIDNIGHT + HOUR)):
        fields = complete_fields(file_id=number, tr_id=f"x{number}", tr_timestamp_start="", tr_timestamp_complete=ended)
        ingest.process([raw(FTS_COMPLETE, fields, identity=str(number))])
    kept = "SELECT t.file_id FROM store.wide_key AS w JOIN store.transfer AS t USING (key_order, key_hash)"
    assert database.value("SELECT count(*) FROM store.wide_key") == 2
    assert keep_house(database, MIDNIGHT + DAYS_30).pruned >= 1
    assert database.ask(kept) == [("1",)]
    assert database.value("SELECT count(*) FROM store.wide_key") == 1


def test_what_was_heard_of_sources_and_verifications_go_with_base_windows(ingest: Ingest, database: Database) -> None:
    for received in (T, T + 2 * DAY):
        ingest.process([raw(FTS_START, start_fields(), received)])
    database.ask(
        "INSERT INTO store.verify_run (run_at, window_from, window_to, cells, differing)"
        " SELECT to_timestamp(at), now(), now(), 1, 0 FROM unnest(%s::bigint[]) AS at",
        [[T // 1000, T // 1000 + 2 * 86_400]],
    )
    assert keep_house(database, T + 91 * DAY).pruned == 2
    for table, time in (("source_10m", "window_start"), ("verify_run", "run_at")):
        assert database.value(f"SELECT (extract(epoch FROM min({time})) * 1000)::bigint FROM store.{table}") > T + DAY


def test_two_housekeepers_at_once_drop_each_day_once(ingest: Ingest, database: Database) -> None:
    ingest.process([raw(FTS_START, start_fields())])
    with closing(connect(database.url)) as other, other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (0x7473_686B,))
        assert housekeeper(database, MIDNIGHT + DAY + DAYS_30).run() == Done()
        assert floor_of(database) is None


MARK = "CN=Erika Mustermann"


def texts_with_mark(database: Database) -> list[str]:
    """Tables of which some row, as text or bytes, holds the marker."""
    tables = database.ask(
        "SELECT n.nspname || '.' || c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'store' AND c.relkind = 'r'"
    )
    found = f"%{MARK}%"
    mine = MARK.encode().hex()
    return [
        name
        for (name,) in tables
        if database.value(
            f"SELECT count(*) FROM {name} AS t WHERE t::text LIKE %s OR t::text LIKE %s", [found, f"%{mine}%"]
        )
    ]


def test_after_the_raw_retention_no_name_of_a_person_is_anywhere(database: Database) -> None:
    batch = [
        raw(FTS_COMPLETE, complete_fields(user_dn=MARK, user=MARK, t_final_transfer_state="Error"), identity="1"),
        raw(FTS_START, start_fields(user_dn=MARK, user=MARK), identity="2"),
        raw(FTS_COMPLETE, json.dumps({"user_dn": MARK}).encode(), identity="3", headers={"user": MARK}),
        raw(FTS_COMPLETE, f"no JSON {MARK}".encode(), identity="4"),
        raw(FTS_COMPLETE, complete_fields(t_final_transfer_state=MARK), identity="5"),
    ]
    with closing(Ingest(database.url, user_key=b"a key of sixteen bytes")) as ingest:
        assert ingest.process(batch).dead == 3
    assert texts_with_mark(database) == ["store.dead_letter"]
    assert database.value("SELECT count(*) FROM store.dead_letter WHERE detail LIKE %s", [f"%{MARK}%"]) >= 1
    hashes = [row for row in database.ask("SELECT user_hash FROM store.transfer") if row[0]]
    database.ask("UPDATE store.dead_letter SET died_at = to_timestamp(%s)", [T // 1000])
    done = keep_house(database, MIDNIGHT + DAY + DAYS_30)
    assert done.emptied == 3
    assert texts_with_mark(database) == []
    assert hashes
    assert database.value("SELECT count(*) FROM store.transfer") == 0
    assert len(database.ask("SELECT reason, topic, died_at FROM report.dead_letter WHERE emptied_at IS NOT NULL")) == 3
