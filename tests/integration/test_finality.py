"""Windows become final, late rows clear them, the next pass sets them again; nobody slips through between."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.ingest import Ingest
from pipeline.stages.finality import GRACE_MS, Source, Watermark
from pipeline.store import locks
from pipeline.store.finality import Passes, finals
from pipeline.store.session import connect
from schemas.topics import FTS_COMPLETE, FTS_TRANSFER
from tests.support.database import Database
from tests.support.fts_messages import HOUR, T, complete_fields, raw
from tests.support.shell import Shell
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

TEN = 600_000
WINDOW = T - T % TEN
EVENT = WINDOW + 5000
DAY = 24 * HOUR


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def send(ingest: Ingest, number: int, ended_ms: int, **progress: int) -> None:
    """A complete with that event time, and how far its batch brings the brokers in partition 0."""
    fields = complete_fields(
        file_id=number,
        tr_timestamp_start=ended_ms - 2000,
        tr_timestamp_complete=ended_ms,
        timestamp_tr_st=ended_ms - 1000,
        timestamp_tr_comp=ended_ms,
    )
    messages = [raw(FTS_COMPLETE, fields, received_ms=ended_ms + 1000)]
    ingest.refresh()
    brought = {Source(FTS_TRANSFER, 0, origin): received_ms for origin, received_ms in progress.items()}
    ingest.commit(messages, ingest.prepare(messages)._replace(progress=brought))


def through(ms: int) -> Mapping[str, Watermark]:
    return {FTS_TRANSFER: Watermark(ms, "the test")}


@pytest.fixture
def passes(database_url: str) -> Passes:
    return Passes(database_url)


def final(database: Database, view: str = "link_10m") -> dict[int, Any]:
    rows = database.ask(f"SELECT (extract(epoch FROM window_start) * 1000)::bigint, final_at FROM report.{view}")
    return dict(rows)


def test_progress_is_the_newest_receipt_time_of_each_broker_and_partition(ingest: Ingest, passes: Passes) -> None:
    send(ingest, 1, EVENT, x=T + 5, y=T + 1)
    send(ingest, 2, EVENT, x=T + 3, y=T + 4)
    assert passes.progress() == {Source(FTS_TRANSFER, 0, "x"): T + 5, Source(FTS_TRANSFER, 0, "y"): T + 4}


@pytest.mark.parametrize("kind", ["link", "channel", "endpoint", "activity"])
@pytest.mark.parametrize(("width", "span"), [("10m", TEN), ("1h", HOUR), ("1d", DAY)])
def test_a_window_is_final_from_35_minutes_after_its_end_on(
    kind: str, width: str, span: int, ingest: Ingest, database: Database, passes: Passes
) -> None:
    send(ingest, 1, EVENT)
    view, start = f"{kind}_{width}", T - T % span
    passes.run(through(start + span + GRACE_MS - 1))
    assert final(database, view) == {start: None}
    passes.run(through(start + span + GRACE_MS))
    assert final(database, view)[start] is not None


def test_a_late_row_clears_its_windows_alone_and_the_next_pass_sets_them_again(
    ingest: Ingest, database: Database, passes: Passes
) -> None:
    send(ingest, 1, WINDOW + 5000)
    send(ingest, 2, WINDOW + TEN + 5000)
    assert passes.run(through(WINDOW + 2 * DAY)) == 4
    first = final(database)
    assert None not in first.values()
    assert passes.run(through(WINDOW + 2 * DAY)) == 0

    send(ingest, 3, WINDOW + 6000)
    assert final(database) == first | {WINDOW: None}
    assert final(database, "link_1h") == {WINDOW - WINDOW % HOUR: None}
    assert final(database, "channel_1d") == {WINDOW - WINDOW % DAY: None}
    # The ends of its window, its hour and its day.
    assert passes.run(through(WINDOW + 2 * DAY)) == 3
    again = final(database)
    assert again[WINDOW] > first[WINDOW]
    assert again[WINDOW + TEN] == first[WINDOW + TEN]
    assert None not in final(database, "link_1d").values()


def test_what_was_final_stays_so_when_a_source_turns_up_that_is_further_behind(
    ingest: Ingest, database: Database, passes: Passes
) -> None:
    send(ingest, 1, EVENT)
    passes.run(through(WINDOW + TEN + GRACE_MS))
    passes.run({FTS_TRANSFER: Watermark(None, "a new broker")})
    assert None not in final(database).values()
    with closing(connect(database.url)) as connection, connection, connection.cursor() as cursor:
        (state,) = finals(cursor)
    assert (state.until, state.held_by) == (at(WINDOW + TEN), "a new broker")


def test_recompute_clears_what_it_rebuilds(shell: Shell, ingest: Ingest, database: Database, passes: Passes) -> None:
    send(ingest, 1, EVENT)
    passes.run(through(WINDOW + 2 * DAY))
    shell("recompute")
    assert set(final(database).values()) == {None}
    passes.run(through(WINDOW + 2 * DAY))
    assert None not in final(database).values()


def test_of_two_that_want_to_declare_one_does(ingest: Ingest, database_url: str, passes: Passes) -> None:
    send(ingest, 1, EVENT)
    with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (0x7473_666E,))
        assert passes.run(through(WINDOW + DAY)) == 0
    assert passes.run(through(WINDOW + DAY)) > 0


def waits_for_a_lock(database: Database, application: str) -> bool:
    return bool(
        database.value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'",
            (application,),
        )
    )


@pytest.fixture
def held_day(database_url: str) -> Iterator[Any]:
    """Somebody owns the day of T."""
    with closing(connect(database_url)) as connection:
        with connection.cursor() as cursor:
            locks.own_days(cursor, [T // DAY])
        yield connection


def test_a_batch_that_began_before_a_pass_and_ends_after_it_is_newer_than_the_pass(
    held_day: Any, ingest: Ingest, database: Database, passes: Passes
) -> None:
    writing = threading.Thread(target=send, args=(ingest, 1, EVENT))
    writing.start()
    eventually(lambda: waits_for_a_lock(database, "transferscope writer"))
    with held_day.cursor() as cursor:  # what a pass does, once it owns the day
        cursor.execute(
            "INSERT INTO store.final_pass (topic, window_end, first_at, last_at, changed)"
            " VALUES (%s, %s, clock_timestamp(), clock_timestamp(), false)",
            (FTS_TRANSFER, at(WINDOW + TEN)),
        )
    held_day.commit()
    writing.join()
    assert final(database) == {WINDOW: None}
    assert database.value("SELECT changed FROM store.final_pass WHERE window_end = %s", [at(WINDOW + TEN)])


def test_a_pass_waits_for_nobody_long_and_is_made_another_time(
    database_url: str, ingest: Ingest, database: Database, passes: Passes
) -> None:
    send(ingest, 1, EVENT)
    with closing(connect(database_url)) as busy, busy, busy.cursor() as cursor:
        locks.own_days(cursor, [T // DAY])
        assert passes.run(through(WINDOW + 2 * DAY)) == 0
        assert final(database) == {WINDOW: None}
    assert passes.run(through(WINDOW + 2 * DAY)) == 3
