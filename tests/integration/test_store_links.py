"""Links have numbers: one for each key, in all writers, and only such as are stored."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from pipeline.stages.windows import LinkKey
from pipeline.store import links as links_module
from pipeline.store.links import Links
from pipeline.store.session import connect
from tests.support.database import Database

pytestmark = pytest.mark.stack


def key(number: int, **changes: str) -> LinkKey:
    return LinkKey("fts", "f", "atlas", f"c{number}", "a", "b", "A", "B", "FR", "DE")._replace(**changes)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with closing(connect(database_url)) as connection:
        yield connection


def test_a_key_has_one_number_for_ever_and_for_everybody(connection: Connection, database: Database) -> None:
    keys = [key(number) for number in range(2500)]
    first = Links().numbers(connection, keys)
    assert len(set(first.values())) == len(keys)
    assert Links().numbers(connection, reversed(keys)) == first
    assert Links().numbers(connection, keys[:1]) == {keys[0]: first[keys[0]]}
    assert database.value("SELECT count(*) FROM store.link") == len(keys)
    stored = database.ask("SELECT src_host, channel FROM store.link WHERE id = %s", [first[keys[7]]])
    assert stored == [("a", "c7")]


@pytest.mark.parametrize("field", LinkKey._fields)
def test_keys_that_differ_in_any_field_are_two(connection: Connection, field: str) -> None:
    numbers = Links().numbers(connection, [key(1), key(1, **{field: "other"}), key(1, **{field: ""})])
    assert len(set(numbers.values())) == 3


def test_what_one_field_ends_with_is_not_what_the_next_begins_with(connection: Connection) -> None:
    numbers = Links().numbers(connection, [key(1, src_host="ab", dst_host="c"), key(1, src_host="a", dst_host="bc")])
    assert len(set(numbers.values())) == 2


def test_writers_at_once_agree(database: Database) -> None:
    barrier = threading.Barrier(4)

    def give_out(offset: int) -> dict[LinkKey, int]:
        with closing(connect(database.url)) as connection:
            links = Links()
            barrier.wait(timeout=60)
            found: dict[LinkKey, int] = {}
            for begin in range(0, 200, 20):
                found |= links.numbers(connection, [key(n) for n in range(begin + offset, begin + offset + 20)])
            return found

    with ThreadPoolExecutor(4) as pool:
        answers = [answer.result(timeout=120) for answer in [pool.submit(give_out, n * 5) for n in range(4)]]
    merged: dict[LinkKey, set[int]] = {}
    for answer in answers:
        for link, number in answer.items():
            merged.setdefault(link, set()).add(number)
    assert all(len(numbers) == 1 for numbers in merged.values())
    assert database.value("SELECT count(*) FROM store.link") == len(merged)


class Broken(Connection):
    """A connection that is lost just before its commit."""

    def commit(self) -> None:
        raise psycopg2.OperationalError("the server closed the connection")

    def __exit__(self, *_: object) -> None:
        self.rollback()
        self.commit()


def test_a_number_that_was_not_committed_is_not_remembered(database: Database, connection: Connection) -> None:
    links = Links()
    with (
        closing(psycopg2.connect(database.url, connection_factory=Broken)) as broken,
        pytest.raises(psycopg2.OperationalError),
    ):
        links.numbers(broken, [key(1)])
    assert database.value("SELECT count(*) FROM store.link") == 0
    numbers = links.numbers(connection, [key(1)])
    assert database.ask("SELECT id FROM store.link") == [(numbers[key(1)],)]


def test_a_full_memory_starts_anew_and_gives_the_same_numbers(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links_module, "_MAX_CACHED", 10)
    links = Links()
    numbers: dict[LinkKey, int] = {}
    for begin in range(0, 40, 7):
        keys = [key(n) for n in range(begin, begin + 7)]
        numbers |= links.numbers(connection, keys)
    assert links.numbers(connection, numbers) == numbers
