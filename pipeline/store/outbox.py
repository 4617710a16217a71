"""The outbox: what a transaction changed and Kafka has still to be told, as keys of rows.

It is written by the transaction that changes the rows, so it tells of all that was committed and of nothing else. The
documents are made when they are published, from the rows as they are then: one that changed twice is told as it is.
A transfer is told again when its pair or its own receipt changes. ``start_ref`` and ``queue_wait_ms`` stand in rows of
other messages and are those of the moment: a change of them alone is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.store.activity import relay_application
from pipeline.store.copying import moment
from pipeline.store.session import AWAY, Unavailable, connect, service_address
from schemas.topics import ALERTS, DEAD_LETTERS, TRANSFERS

_ALONE = 0x7473_6F62
_MOST_LINES = 100
_MOST_ROWS = 5_000
"""Documents of 2 kB: some 10 MB at a time, and one batch more."""
# Rows are looked up by their keys, whatever a fresh table's missing statistics suggest.
_PLANS = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c enable_bitmapscan=off"

_TAKE = """
SELECT id, topic FROM (
    SELECT id, topic, sum(cardinality(keys)) OVER (ORDER BY id) - cardinality(keys) AS before
    FROM (SELECT id, topic, keys FROM store.outbox ORDER BY id LIMIT %s) AS first
) AS counted WHERE before < %s ORDER BY id
"""
_COLUMNS = "SELECT * FROM report.transfer LIMIT 0"
_NOT_TOLD = "dedupe"
_TRANSFERS = """
SELECT d.id, row_to_json(d)::text FROM (
    SELECT (extract(epoch FROM w.ended_at) * 1000)::bigint || '-' || lpad(to_hex(w.dedupe), 16, '0') AS id, {columns}
    FROM (
        SELECT DISTINCT u.ended_at, u.dedupe FROM store.outbox AS o, unnest(o.ended_at, o.keys) AS u(ended_at, dedupe)
        WHERE o.id = ANY(%s)
    ) AS w JOIN report.transfer AS v ON v.ended_at = w.ended_at AND v.dedupe = w.dedupe
) AS d
"""
_WANTED = "(SELECT DISTINCT unnest(o.keys) AS id FROM store.outbox AS o WHERE o.id = ANY(%s)) AS w"
_DEAD_LETTERS = f"""
SELECT d.id::text, row_to_json(d)::text FROM (
    SELECT l.id, l.kind, l.topic, l.reason, l.detail, l.received_at, l.died_at, l.headers,
        octet_length(l.body) AS size, nullif(l.ref, '') AS ref
    FROM {_WANTED} JOIN store.dead_letter AS l ON l.id = w.id
) AS d
"""
_ALERTS = f"SELECT a.id::text, row_to_json(a)::text FROM {_WANTED} JOIN report.alert AS a ON a.id = w.id"


class Document(NamedTuple):
    """A row to publish: ``key`` is its id, the same in all versions of the row; ``text`` is JSON."""

    topic: str
    key: str
    text: str


class Taken(NamedTuple):
    """Lines of the outbox and the documents that they stand for, each once."""

    lines: list[int]
    documents: list[Document]


class Depth(NamedTuple):
    """What waits: rows, and the age of the oldest line in s (None: nothing waits)."""

    rows: int
    oldest_s: float | None


def add_transfers(cursor: Cursor, keys: Iterable[tuple[int, int]]) -> None:
    """Finished attempts that are new or have changed, as event time in ms and dedupe hash."""
    told = list(keys)  # one that is there twice is told once: its reader sees to that
    if told:
        ended_at = ",".join([moment(ms) for ms, _ in told])
        dedupe = ",".join([str(number) for _, number in told])
        _add(cursor, TRANSFERS, f"{{{ended_at}}}", f"{{{dedupe}}}")


def add_rows(cursor: Cursor, topic: str, ids: Sequence[int]) -> None:
    """Dead letters or alerts that are new or have changed."""
    if ids:
        _add(cursor, topic, "{}", f"{{{','.join(map(str, ids))}}}")


def _add(cursor: Cursor, topic: str, ended_at: str, keys: str) -> None:
    cursor.execute(
        "INSERT INTO store.outbox (topic, ended_at, keys) VALUES (%s, %s::timestamptz[], %s::bigint[])",
        (topic, ended_at, keys),
    )


def depth(cursor: Cursor) -> Depth:
    """How much waits for a relay."""
    cursor.execute(
        "SELECT coalesce(sum(cardinality(keys)), 0)::bigint,"
        " extract(epoch FROM now() - min(written_at))::double precision FROM store.outbox"
    )
    return Depth(*(cursor.fetchone() or (0, None)))


def prune(cursor: Cursor) -> int:
    """Drop lines from before the raw floor, whose rows are gone; how many. It bounds an outbox that nobody reads."""
    cursor.execute(
        "DELETE FROM store.outbox WHERE written_at <"
        " (SELECT to_timestamp(value::bigint / 1000.0) FROM store.setting WHERE name = 'raw_floor_ms')"
    )
    return int(cursor.rowcount)


class Outbox:
    """The outbox as its one reader sees it. Not for several threads at once.

    One reader at a time: of two, the slower could publish an older state of a row after the newer one.
    """

    def __init__(self, database_url: str, address: str = "") -> None:
        """``address``: where its reader can be asked how it is; others find it in ``activity``."""
        self._url = database_url
        self._application = relay_application(address)
        self._connection: Connection | None = None
        self._has_turn = False

    def take(self) -> Taken | None:
        """What is to be published next, oldest first; None while another reader has the turn. Raises Unavailable."""
        try:
            with self._cursor() as cursor:
                if not self._has_turn:
                    cursor.execute("SELECT pg_try_advisory_lock(%s)", (_ALONE,))  # goes with the connection
                    self._has_turn = cursor.fetchone() == (True,)
                return _taken(cursor) if self._has_turn else None
        except AWAY as error:
            raise self._away(error) from error

    def done(self, taken: Taken) -> None:
        """Kafka has it: forget these lines. Raises Unavailable; they are then published again."""
        try:
            with self._cursor() as cursor:
                cursor.execute("DELETE FROM store.outbox WHERE id = ANY(%s)", (taken.lines,))
        except AWAY as error:
            raise self._away(error) from error

    def depth(self) -> Depth:
        """How much waits, whoever has the turn. Raises Unavailable."""
        try:
            with self._cursor() as cursor:
                return depth(cursor)
        except AWAY as error:
            raise self._away(error) from error

    def close(self) -> None:
        """Give the connection and the turn back."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._has_turn = None, False

    def _cursor(self) -> Cursor:
        if self._connection is None:
            self._connection = connect(self._url, self._application, _PLANS)
            self._connection.autocommit = True  # Kafka may take its time: no transaction is open meanwhile
        return self._connection.cursor()

    def _away(self, error: psycopg2.Error) -> Unavailable:
        self.close()
        return Unavailable("PostgreSQL", service_address(self._url), str(error))


def _taken(cursor: Cursor) -> Taken:
    cursor.execute(_TAKE, (_MOST_LINES, _MOST_ROWS))
    lines: dict[str, list[int]] = {}
    for number, topic in cursor.fetchall():
        lines.setdefault(topic, []).append(number)
    documents = []
    for topic, numbers in lines.items():
        cursor.execute(_statement(cursor, topic), (numbers,))
        documents += [Document(topic, key, text) for key, text in cursor.fetchall()]
    return Taken([number for numbers in lines.values() for number in numbers], documents)


def _statement(cursor: Cursor, topic: str) -> str:
    if topic != TRANSFERS:
        return {DEAD_LETTERS: _DEAD_LETTERS, ALERTS: _ALERTS}[topic]
    cursor.execute(_COLUMNS)
    assert cursor.description is not None
    columns = ", ".join(f"v.{column.name}" for column in cursor.description if column.name != _NOT_TOLD)
    return _TRANSFERS.format(columns=columns)
