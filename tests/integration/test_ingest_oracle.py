"""The tables equal an independent recount, whatever the order, the batches, the number of writers and the copies."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random
from typing import Any, NamedTuple

import pytest

from pipeline.batches import batches
from pipeline.ingest import BatchResult, Ingest
from pipeline.ingest.topologies import load_topology
from pipeline.store.session import connect
from pipeline.store.verify import verify
from pipeline.topology.compose import Dump
from schemas.envelope import RawMessage
from tests.support.database import Database
from tests.support.fts_messages import TOPIC_OF, T
from tests.support.oracle import Expected, expect
from tests.support.oracle_messages import Unusable, read_message
from tests.support.oracle_queues import QUEUE_TOPICS, read_report
from tests.support.stored import differences
from tests.support.traffic import record

pytestmark = pytest.mark.stack

WINDOW = 600_000
SITES = {"se0.example.org": ("A", "FR"), "se1.example.org": ("B", "DE")}
MOVED_AT = T - 36 * 3_600_000
"""From then on the first host is another site's."""


def sites(host: str, at_ms: int) -> tuple[str, str]:
    """What the topology below says, said otherwise."""
    if host == "se0.example.org" and at_ms >= MOVED_AT:
        return SITES["se1.example.org"]
    return SITES.get(host, ("unknown", "unknown"))


TOPOLOGY = b"""{
    "sites": [{"name": "A", "country": "FR"}, {"name": "B", "country": "DE"}],
    "hosts": [
        {"host": "se0.example.org", "site": "A", "valid_to": "2026-11-20T14:00:00Z"},
        {"host": "se0.example.org", "site": "B", "valid_from": "2026-11-20T14:00:00Z"},
        {"host": "se1.example.org", "site": "B"}
    ]
}"""


class Recorded(NamedTuple):
    messages: list[RawMessage]
    expected: Expected


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    path = tmp_path_factory.mktemp("recorded") / "rough.jsonl.gz"
    messages = record(path, 1600, seed=11)
    expected = expect(path, sites)
    assert expected.stored > 900
    assert expected.dead > 30
    assert len(expected.intervals) == 4
    assert min(expected.intervals.values()) > 20
    assert sum(row["start_message_at"] is not None for row in expected.transfers.values()) > 250
    assert len(expected.in_flight) > 100
    assert len(expected.queues) > 100
    return Recorded(messages, expected)


@pytest.fixture
def database(database: Database) -> Database:
    with closing(connect(database.url)) as connection:
        load_topology(connection, [Dump("test", TOPOLOGY)], 0)
    return database


def ingest_all(url: str, messages: Iterable[RawMessage], most: int) -> BatchResult:
    with closing(Ingest(url)) as writer:
        results = [writer.process(batch) for batch in batches(messages, lambda message: 1, most)]
    return BatchResult(*(sum(column) for column in zip(*results, strict=True)))


def assert_equal(database: Database, expected: Expected) -> None:
    with closing(connect(database.url)) as connection:
        assert list(differences(expected, connection)) == []
        assert verify(connection).differing == 0
    refs = database.ask("SELECT complete_ref, start_ref FROM report.transfer")
    assert sorted(refs, key=str) == sorted(
        ((row["complete_ref"], row["start_ref"]) for row in expected.transfers.values()), key=str
    )


ORDERS: dict[str, Callable[[list[RawMessage]], list[RawMessage]]] = {
    "as recorded": lambda messages: messages,
    "backwards": lambda messages: messages[::-1],
    "starts first": lambda messages: sorted(messages, key=lambda message: message.kind, reverse=True),
    "completes first": lambda messages: sorted(messages, key=lambda message: message.kind),
    "shuffled": lambda messages: Random(1).sample(messages, len(messages)),
}


@pytest.mark.parametrize(
    ("order", "most"),
    [
        ("as recorded", 5000),
        ("backwards", 250),
        ("starts first", 13),
        ("completes first", 200),
        ("shuffled", 7),
        ("shuffled", 250),
        ("shuffled", 5000),
    ],
)
def test_any_order_and_any_batches(database: Database, recorded: Recorded, order: str, most: int) -> None:
    result = ingest_all(database.url, ORDERS[order](recorded.messages), most)
    expected = recorded.expected
    assert result == (expected.received, expected.stored, expected.duplicate, expected.dead)
    assert_equal(database, expected)


def test_everything_twice_and_a_third_time(database: Database, recorded: Recorded) -> None:
    expected = recorded.expected
    twice = recorded.messages + recorded.messages
    Random(2).shuffle(twice)
    result = ingest_all(database.url, twice, 300)
    assert (result.received, result.stored) == (2 * expected.received, expected.stored)
    assert result.dead == 2 * expected.dead
    again = ingest_all(database.url, recorded.messages, 1000)
    assert again == (expected.received, 0, expected.received - expected.dead, expected.dead)
    assert_equal(database, expected)


@pytest.mark.parametrize("shared", [False, True], ids=["each its part", "all of them everything"])
def test_several_writers_at_once(database: Database, recorded: Recorded, shared: bool) -> None:
    writers, barrier = 4, threading.Barrier(4)

    def write(number: int) -> BatchResult:
        mine = recorded.messages if shared else recorded.messages[number::writers]
        barrier.wait(timeout=60)
        return ingest_all(database.url, Random(number).sample(mine, len(mine)), 60)

    with ThreadPoolExecutor(writers) as pool:
        results = [written.result(timeout=240) for written in [pool.submit(write, n) for n in range(writers)]]
    assert sum(result.stored for result in results) == recorded.expected.stored
    assert_equal(database, recorded.expected)


def test_what_was_heard_of_each_source(database: Database, recorded: Recorded) -> None:
    ingest_all(database.url, recorded.messages, 200)
    heard: Counter[tuple[int, str]] = Counter()
    stored: Counter[str] = Counter()
    dead: Counter[str] = Counter()
    seen: set[Any] = set()
    for message in recorded.messages:
        assert message.received_ms is not None
        is_queue = message.topic in QUEUE_TOPICS
        read: Any
        try:
            if is_queue:
                read = read_report(message.topic, message.body, message.received_ms)
            else:
                read = read_message(message.topic, message.body, message.received_ms, "")
        except Unusable:
            source = message.topic
            dead[source] += 1
        else:
            source = read.fts or message.topic
            same = ("" if is_queue else message.topic, read.dedupe)
            stored[source] += same not in seen
            seen.add(same)
        heard[message.received_ms // WINDOW * WINDOW, source] += 1
    rows = database.ask(
        "SELECT (extract(epoch FROM window_start) * 1000)::bigint, source, received FROM report.source_10m"
    )
    assert {(window, source): received for window, source, received in rows} == heard
    totals = database.ask("SELECT source, sum(stored)::int, sum(dead)::int FROM report.source_10m GROUP BY 1")
    assert {source: (kept, died) for source, kept, died in totals} == {
        source: (stored[source], dead[source]) for _, source in heard
    }
    assert set(TOPIC_OF.values()) <= {source for source, *_ in totals}
    newest = database.ask("SELECT source, (extract(epoch FROM last_received_at) * 1000)::bigint FROM report.freshness")
    assert {source for source, _ in newest} == {source for _, source in heard}
    assert max(at for _, at in newest) == max(message.received_ms or 0 for message in recorded.messages)


def test_the_counts_of_sources_do_not_depend_on_batches(database: Database, recorded: Recorded) -> None:
    result = ingest_all(database.url, recorded.messages, 37)
    ((received, stored, duplicate, dead),) = database.ask(
        "SELECT sum(received)::int, sum(stored)::int, sum(duplicate)::int, sum(dead)::int FROM report.source_10m"
    )
    assert (received, stored, duplicate, dead) == result
