"""Rows that grow old in tables without partitions: emptied or deleted, a few at a time."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from pipeline.store import locks
from pipeline.store.copying import moment
from schemas.keys import shard_of

_LETTERS = 500
"""Dead letters a transaction: a body has at most a MiB."""

_EMPTY = """
UPDATE store.dead_letter SET body = '', headers = '{}', detail = '', emptied_at = now()
WHERE id IN (SELECT id FROM store.dead_letter WHERE emptied_at IS NULL AND died_at < %s::timestamptz LIMIT %s)
"""
_UNUSED = """
SELECT w.key_order, w.key_hash FROM store.wide_key AS w WHERE NOT EXISTS (
    SELECT FROM store.transfer AS t WHERE t.key_order = w.key_order AND t.key_hash = w.key_hash)
"""
_FORGET_KEYS = """
DELETE FROM store.wide_key AS w USING unnest(%s::bigint[], %s::bigint[]) AS k(key_order, key_hash)
WHERE w.key_order = k.key_order AND w.key_hash = k.key_hash AND NOT EXISTS (
    SELECT FROM store.transfer AS t WHERE t.key_order = w.key_order AND t.key_hash = w.key_hash)
"""


def empty_dead_letters(connection: Connection, before_ms: int) -> int:
    """Take body, headers and detail, which may name persons, from the dead letters that died before; how many.

    What stays tells that there was one, of which topic, when and why.
    """
    emptied = 0
    while True:
        with connection, connection.cursor() as cursor:
            cursor.execute(_EMPTY, (moment(before_ms), _LETTERS))
            emptied += cursor.rowcount
            if cursor.rowcount < _LETTERS:
                return emptied


def prune_heard(connection: Connection, before_ms: int) -> int:
    """Delete what was heard of sources, verifications and samples of what waited, from before; how many rows."""
    pruned = 0
    for table, time in (("source_10m", "window_start"), ("verify_run", "run_at"), ("backlog", "sampled_at")):
        with connection, connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM store.{table} WHERE {time} < %s::timestamptz", (moment(before_ms),))
            pruned += cursor.rowcount
    return pruned


def prune_finals(connection: Connection, before_ms: int) -> int:
    """Delete when windows that are dropped by then became final; how many. Windows of a day are kept for ever."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM store.final_pass WHERE window_end < %s::timestamptz"
            " AND window_end <> date_trunc('day', window_end, 'UTC')",
            (moment(before_ms),),
        )
        return int(cursor.rowcount)


def prune_wide_keys(connection: Connection) -> int:
    """Delete the transfer keys whose completes were dropped; how many.

    A writer that finds a key listed does not list it again, so each is looked at once more with its shard owned.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(_UNUSED)
        by_shard: dict[int, list[tuple[int, int]]] = {}
        for order, key_hash in cursor:
            by_shard.setdefault(shard_of(key_hash), []).append((order, key_hash))
    pruned = 0
    for shard, keys in sorted(by_shard.items()):
        with connection, connection.cursor() as cursor:
            locks.own_shard(cursor, shard)
            cursor.execute(_FORGET_KEYS, ([order for order, _ in keys], [key_hash for _, key_hash in keys]))
            pruned += cursor.rowcount
    return pruned
