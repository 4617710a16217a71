"""Housekeeping: histograms in pieces become whole ones, and no number changes, whoever writes meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from pipeline.ingest import Ingest
from pipeline.simulator import simulate
from pipeline.simulator.mix import CLEAN
from pipeline.store.housekeeping import Done, Housekeeper
from pipeline.store.recompute import recompute
from pipeline.store.retention import Retention
from pipeline.store.session import connect
from pipeline.store.verify import verify
from pipeline.topology.resolve import Topology
from schemas.envelope import RawMessage
from tests.support import bridged
from tests.support.database import Database
from tests.support.fts_messages import HOUR, T
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

PIECES = "SELECT count(*) FROM store.link_hist"
WINDOWS = "SELECT count(*) FROM (SELECT DISTINCT window_start, link_id FROM store.link_hist) AS w"


def batches(seed: int, messages: int = 3000, most: int = 100) -> Iterator[list[RawMessage]]:
    read = bridged.read(bridged.records(simulate(messages, seed, T, mix=CLEAN), 1))
    return (read[begin : begin + most] for begin in range(0, messages, most))


def fill(ingest: Ingest, seed: int) -> None:
    for batch in batches(seed):
        ingest.process(batch)


def shown(database: Database) -> list[Any]:
    """Every histogram that people see."""
    return [
        database.ask(
            f"SELECT window_start, fts, vo, channel, src_host, dst_host, streaming_hist, throughput_hist"
            f" FROM report.link_{width} ORDER BY 1, 2, 3, 4, 5, 6"
        )
        for width in ("10m", "1h", "1d")
    ]


def housekeeper(database: Database) -> Housekeeper:
    """One to whom the statistics of Postgres, which lag behind, tell all there is."""
    database.ask("SELECT pg_stat_force_next_flush()")
    return Housekeeper(database.url, Retention(), lambda _: T + HOUR)


def test_pieces_become_whole_and_nothing_changes(ingest: Ingest, database: Database) -> None:
    fill(ingest, 1)
    before, pieces, windows = shown(database), database.value(PIECES), database.value(WINDOWS)
    assert pieces > 1.2 * windows
    keeper = housekeeper(database)
    saved = 0

    def all_is_whole() -> bool:
        nonlocal saved
        saved += keeper.run().folded
        return bool(database.value(PIECES) == windows)

    eventually(all_is_whole, 30)
    assert saved == pieces - windows
    assert shown(database) == before
    with closing(connect(database.url)) as connection:
        assert verify(connection).differing == 0
    assert keeper.run().folded == 0


def test_writers_and_recompute_go_on_meanwhile(ingest: Ingest, database: Database) -> None:
    fill(ingest, 1)
    stop = threading.Event()
    keepers = [housekeeper(database) for _ in range(2)]
    problems: list[BaseException] = []

    def keep(keeper: Housekeeper) -> None:
        try:
            while not stop.is_set():
                keeper._folding._inserted.clear()
                keeper.run()
        except BaseException as error:  # noqa: BLE001 - the test fails with whatever it is
            problems.append(error)

    threads = [threading.Thread(target=keep, args=(keeper,)) for keeper in keepers]
    for thread in threads:
        thread.start()
    try:
        for number, batch in enumerate(batches(2)):
            ingest.process(batch)
            if number % 10 == 0:
                with closing(connect(database.url)) as one, closing(connect(database.url)) as other:
                    assert verify(one).differing == 0
                    recompute(one, other, Topology.empty())
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert problems == []
    with closing(connect(database.url)) as connection:
        assert verify(connection).differing == 0


def test_of_two_housekeepers_one_works(ingest: Ingest, database: Database) -> None:
    fill(ingest, 1)
    with closing(connect(database.url)) as other, other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (0x7473_686B,))
        assert housekeeper(database).run() == Done()
