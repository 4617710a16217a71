"""Partitions are there when the first row of their time comes: right bounds at every edge, one maker at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import psycopg2
import pytest

from pipeline.ingest import Ingest
from pipeline.store.partitions import Partitions
from pipeline.store.session import connect
from pipeline.store.verify import verify
from schemas.times import MAX_MS
from schemas.topics import FTS_COMPLETE, FTS_START
from tests.support.database import Database
from tests.support.fts_messages import DAY, complete_fields, raw, start_fields

pytestmark = pytest.mark.stack

BY_DAY = (
    *("start", "transfer", "file_state", "link_10m", "link_hist"),
    *("flow_10m", "error_10m", "file_state_10m", "queue_message", "queue_sample"),
)
TABLES = {*BY_DAY, "link_1h", "link_1d", "flow_1h", "flow_1d"}


def ms(year: int, month: int, day: int) -> int:
    """Midnight."""
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000


def bounds(database: Database) -> dict[str, str]:
    """Partition by name: "from to"."""
    rows = database.ask(
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_class AS c"
        " WHERE c.relispartition AND c.relkind = 'r'"
    )
    return {name: bound.replace(" 00:00:00+00", "").removeprefix("FOR VALUES ") for name, bound in rows}


@pytest.mark.parametrize(
    ("date", "day", "month", "year"),
    [
        ((2026, 11, 22), "'2026-11-22') TO ('2026-11-23'", "'2026-11-01') TO ('2026-12-01'", "'2026-01-01') TO ('2027"),
        ((2026, 1, 31), "'2026-01-31') TO ('2026-02-01'", "'2026-01-01') TO ('2026-02-01'", "'2026-01-01') TO ('2027"),
        ((2026, 2, 28), "'2026-02-28') TO ('2026-03-01'", "'2026-02-01') TO ('2026-03-01'", "'2026-01-01') TO ('2027"),
        ((2028, 2, 28), "'2028-02-28') TO ('2028-02-29'", "'2028-02-01') TO ('2028-03-01'", "'2028-01-01') TO ('2029"),
        ((2028, 2, 29), "'2028-02-29') TO ('2028-03-01'", "'2028-02-01') TO ('2028-03-01'", "'2028-01-01') TO ('2029"),
        ((2026, 12, 31), "'2026-12-31') TO ('2027-01-01'", "'2026-12-01') TO ('2027-01-01'", "'2026-01-01') TO ('2027"),
        ((1970, 1, 1), "'1970-01-01') TO ('1970-01-02'", "'1970-01-01') TO ('1970-02-01'", "'1970-01-01') TO ('1971"),
        (
            (9999, 12, 31),
            "'9999-12-31') TO ('10000-01-01'",
            "'9999-12-01') TO ('10000-01-01'",
            "'9999-01-01') TO ('10000",
        ),
    ],
)
def test_a_day_gets_its_partitions_with_the_edges_of_the_calendar(
    database: Database, date: tuple[int, int, int], day: str, month: str, year: str
) -> None:
    with closing(connect(database.url)) as connection:
        Partitions().ensure(connection, [ms(*date)])
    made = bounds(database)
    name = "{:04d}{:02d}{:02d}".format(*date)
    for table in BY_DAY:
        assert made.pop(f"{table}_p{name}") == f"FROM ({day})"
    for kind in ("link", "flow"):
        assert made.pop(f"{kind}_1h_p{name[:6]}") == f"FROM ({month})"
        assert made.pop(f"{kind}_1d_p{name[:4]}").startswith(f"FROM ({year}")
    assert made == {}


def test_the_first_and_the_last_instant_of_a_day_lie_in_its_partition(ingest: Ingest, database: Database) -> None:
    midnight = ms(2026, 2, 28)
    instants = [midnight, midnight + DAY - 1, midnight + DAY]
    ingest.process([raw(FTS_START, start_fields(timestamp=at), None, identity=str(at)) for at in instants])
    counts = database.ask("SELECT tableoid::regclass::text, count(*) FROM store.start GROUP BY 1 ORDER BY 1")
    assert counts == [("store.start_p20260228", 2), ("store.start_p20260301", 1)]


@pytest.mark.parametrize("event_ms", [1000, MAX_MS])
def test_transfers_of_1970_and_9999_are_stored_and_verified(ingest: Ingest, database: Database, event_ms: int) -> None:
    times = {"tr_timestamp_start": "", "timestamp_tr_st": 0, "timestamp_tr_comp": 0}
    iso = datetime.fromtimestamp(event_ms // 1000, UTC).isoformat()
    ended = raw(FTS_COMPLETE, complete_fields(tr_timestamp_complete=iso, **times), None)
    assert ingest.process([ended]).stored == 1
    assert database.value("SELECT count(*) FROM report.link_1d") == 1
    assert database.value("SELECT extract(epoch FROM ended_at)::bigint FROM store.transfer") == event_ms // 1000
    with closing(connect(database.url)) as connection:
        report = verify(connection)
    assert (report.differing, report.cells > 100) == (0, True)


def test_makers_at_once_make_each_partition_once(database: Database) -> None:
    makers, barrier = 4, threading.Barrier(4)
    days = [ms(2026, 11, 1) + n * DAY for n in range(45)]

    def make(number: int) -> None:
        with closing(connect(database.url)) as connection:
            barrier.wait(timeout=60)
            for day in days[number::2] + days[::3]:
                Partitions().ensure(connection, [day])

    with ThreadPoolExecutor(makers) as pool:
        for maker in [pool.submit(make, number % 2) for number in range(makers)]:
            maker.result(timeout=120)
    assert len(bounds(database)) == 45 * len(BY_DAY) + 2 * (2 + 1)


def test_a_partition_has_the_indexes_of_its_table(ingest: Ingest, database: Database) -> None:
    ingest.process([raw(FTS_START, start_fields())])
    indexes = (
        "SELECT count(*) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid"
        " WHERE c.relname = %s AND c.relnamespace = 'store'::regnamespace"
    )
    for table in TABLES:
        (partition,) = [name for name in bounds(database) if name.startswith(f"{table}_p")]
        assert database.value(indexes, [partition]) == database.value(indexes, [table]) > 0


def test_every_partitioned_table_has_its_maker(database: Database) -> None:
    partitioned = database.ask("SELECT relname FROM pg_class WHERE relkind = 'p'")
    assert {name for (name,) in partitioned} == TABLES


def test_days_that_are_known_are_not_asked_for_again_until_they_are_forgotten(database: Database) -> None:
    day, partitions = ms(2026, 11, 22), Partitions()
    with closing(connect(database.url)) as connection:
        partitions.ensure(connection, [day])
        database.ask("DROP TABLE store.start_p20261122")
        partitions.ensure(connection, [day])
        assert "start_p20261122" not in bounds(database)
        partitions.forget()
        partitions.ensure(connection, [day])
    assert "start_p20261122" in bounds(database)


def test_a_maker_that_fails_remembers_nothing(database: Database) -> None:
    day, partitions = ms(2026, 11, 22), Partitions()
    with closing(connect(database.url)) as connection:
        database.ask("ALTER TABLE store.link_1d RENAME TO elsewhere")
        with pytest.raises(psycopg2.ProgrammingError, match="link_1d"):
            partitions.ensure(connection, [day])
        assert bounds(database) == {}
        database.ask("ALTER TABLE store.elsewhere RENAME TO link_1d")
        partitions.ensure(connection, [day])
    assert len(bounds(database)) == len(TABLES)
