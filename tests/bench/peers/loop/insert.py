"""A loop from Kafka to PostgreSQL with one INSERT a message, committed once a poll."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from peer import Complete, Link, Start, counts_of, window_of
from tables import ADD_TO_WINDOW, run

_START = "INSERT INTO start VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
_COMPLETE = "INSERT INTO complete VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, NULL) ON CONFLICT DO NOTHING"
_WINDOW = f"INSERT INTO link_10m VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) {ADD_TO_WINDOW}"
_PAIR = """
UPDATE complete SET start_ms = start.at_ms FROM start
WHERE complete.start_ms IS NULL AND complete.began_ms > 0
    AND complete.file_id = %s AND complete.job_id = %s AND start.file_id = %s AND start.job_id = %s
    AND start.at_ms BETWEEN complete.began_ms AND complete.at_ms
RETURNING complete.at_ms, complete.vo, complete.src, complete.dst
"""


def write(cursor: Any, messages: Sequence[Start | Complete]) -> int:
    """One after the other."""
    new = 0
    for message in messages:
        if isinstance(message, Start):
            cursor.execute(_START, (message.id, message.at_ms, *message.transfer, *message.link))
        else:
            complete: Complete = message
            cursor.execute(
                _COMPLETE,
                (
                    complete.id,
                    complete.at_ms,
                    complete.began_ms,
                    *complete.transfer,
                    *complete.link,
                    complete.state,
                    complete.bytes,
                ),
            )
        if not cursor.rowcount:
            continue  # it was there already
        new += 1
        count(cursor, message.at_ms, message.link, counts_of(message))
        cursor.execute(_PAIR, (*message.transfer, *message.transfer))
        for at_ms, vo, src, dst in cursor.fetchall():
            count(cursor, at_ms, Link(vo, src, dst), (0, 0, 0, 0, 0, 1))
    return new


def count(cursor: Any, at_ms: int, link: Link, counts: Sequence[int]) -> None:
    """Add to a window."""
    cursor.execute(_WINDOW, (window_of(at_ms), *link, *counts))


if __name__ == "__main__":
    run(write)
