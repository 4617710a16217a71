"""A loop from Kafka to PostgreSQL with psycopg2's ``execute_values``, as people write it: a few statements a poll."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import add
from typing import Any

from peer import Complete, Start, counts_of, window_of
from psycopg2.extras import execute_values
from tables import ADD_TO_WINDOW, run

_START = "INSERT INTO start VALUES %s ON CONFLICT DO NOTHING RETURNING id, at_ms"
_COMPLETE = (
    "INSERT INTO complete (id, at_ms, began_ms, file_id, job_id, vo, src, dst, state, bytes) VALUES %s"
    " ON CONFLICT DO NOTHING RETURNING id, at_ms"
)
_WINDOW = f"INSERT INTO link_10m VALUES %s {ADD_TO_WINDOW}"
_PAIR = """
UPDATE complete SET start_ms = start.at_ms FROM start
WHERE complete.file_id = ANY (%s) AND complete.start_ms IS NULL AND complete.began_ms > 0
    AND start.file_id = complete.file_id AND start.job_id = complete.job_id
    AND start.at_ms BETWEEN complete.began_ms AND complete.at_ms
RETURNING complete.at_ms, complete.vo, complete.src, complete.dst
"""
_PAGE = 1000
"""Rows a statement: psycopg2's 100 would make several of a poll."""


def write(cursor: Any, messages: Sequence[Start | Complete]) -> int:
    """What is new of them, in a handful of statements."""
    starts = {(each.id, each.at_ms): each for each in messages if isinstance(each, Start)}
    completes = {(each.id, each.at_ms): each for each in messages if isinstance(each, Complete)}
    started = insert(cursor, _START, [(*key, *each.transfer, *each.link) for key, each in starts.items()])
    ended = insert(
        cursor,
        _COMPLETE,
        [(*key, each.began_ms, *each.transfer, *each.link, each.state, each.bytes) for key, each in completes.items()],
    )
    new = [*(starts[key] for key in started), *(completes[key] for key in ended)]
    cursor.execute(_PAIR, ([each.transfer[0] for each in new],))
    added = [(each.at_ms, each.link, counts_of(each)) for each in new]
    added += [(at_ms, tuple(link), (0, 0, 0, 0, 0, 1)) for at_ms, *link in cursor.fetchall()]
    windows: dict[tuple[int, str, str, str], Iterable[int]] = {}
    for at_ms, link, counts in added:
        key = (window_of(at_ms), *link)
        windows[key] = tuple(map(add, windows.get(key, (0,) * 6), counts))
    insert(cursor, _WINDOW, [(*key, *windows[key]) for key in sorted(windows)], fetch=False)
    return len(new)


def insert(cursor: Any, statement: str, rows: list[tuple[Any, ...]], fetch: bool = True) -> list[tuple[str, int]]:
    """The ids of those that were not there."""
    return (rows and execute_values(cursor, statement, rows, page_size=_PAGE, fetch=fetch)) or []


if __name__ == "__main__":
    run(write)
