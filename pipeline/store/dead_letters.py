"""Dead letters as messages again: to look at one, to try some once more, to note what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg2.extras import execute_values

from pipeline.store.session import connect
from schemas.envelope import RawMessage

NOT_WHOLE = ("too_large",)
"""Reasons of which only a part of the body is kept, so that nothing can be tried again."""

_COLUMNS = (
    "id, kind, topic, body, headers, (extract(epoch FROM received_at) * 1000)::bigint, ref, identity,"
    " reason, detail, died_at, replayed_at, emptied_at"
)


class DeadLetter(NamedTuple):
    """A dead letter: the message as it was received, why it could not be used, and when it was after all. Once it is
    emptied its body, headers and detail are gone."""

    id: int
    message: RawMessage
    reason: str
    detail: str
    died_at: datetime
    replayed_at: datetime | None
    emptied_at: datetime | None


class DiedAgain(NamedTuple):
    """A dead letter that still cannot be used, and why now."""

    id: int
    reason: str
    detail: str


class DeadLetters:
    """The dead letters of a store, over a connection of their own. Every method raises Unavailable."""

    def __init__(self, database_url: str) -> None:
        self._connection = connect(database_url)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def load(self, ids: Sequence[int]) -> list[DeadLetter]:
        """The dead letters of these ids, by rising id; those that are not there are left out."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(f"SELECT {_COLUMNS} FROM store.dead_letter WHERE id = ANY(%s) ORDER BY id", (list(ids),))
            return [_letter(*row) for row in cursor.fetchall()]

    def waiting(self, reason: str | None) -> list[tuple[int, int]]:
        """Id and body size of those that can be tried (of one reason), the oldest first."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, octet_length(body) FROM store.dead_letter"
                " WHERE replayed_at IS NULL AND emptied_at IS NULL AND reason <> ALL(%s)"
                " AND (%s::text IS NULL OR reason = %s) ORDER BY id",
                (list(NOT_WHOLE), reason, reason),
            )
            return [(int(number), int(size)) for number, size in cursor.fetchall()]

    def emptied(self, reason: str | None) -> int:
        """How many (of one reason) were never used, and cannot be any more."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM store.dead_letter WHERE replayed_at IS NULL AND emptied_at IS NOT NULL"
                " AND (%s::text IS NULL OR reason = %s)",
                (reason, reason),
            )
            row = cursor.fetchone()
            return int(row[0]) if row else 0

    def mark(self, replayed: Iterable[int], died_again: Iterable[DiedAgain]) -> None:
        """Note which were used after all, and why the others still were not."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("UPDATE store.dead_letter SET replayed_at = now() WHERE id = ANY(%s)", (sorted(replayed),))
            execute_values(
                cursor,
                "UPDATE store.dead_letter AS d SET reason = u.reason, detail = u.detail"
                " FROM (VALUES %s) AS u(id, reason, detail) WHERE d.id = u.id AND d.emptied_at IS NULL",
                sorted(died_again),
                template="(%s::bigint, %s, %s)",
            )


def _letter(number: int, kind: str, topic: str, body: memoryview, *rest: Any) -> DeadLetter:
    message = RawMessage(kind, topic, bytes(body), *rest[:4])
    return DeadLetter(number, message, *rest[4:])
