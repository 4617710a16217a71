"""Indexes on tables that are written: built without keeping a writer waiting for longer than a moment."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

_IS_PARTITIONED = "SELECT relkind = 'p' FROM pg_class WHERE oid = 'store.{table}'::regclass"
_IS_WHOLE = """
SELECT EXISTS (
    SELECT FROM pg_index JOIN pg_class ON oid = indexrelid
    WHERE relnamespace = 'store'::regnamespace AND relname = '{index}' AND indisvalid
)
"""
_WITHOUT = """
SELECT min(part.relname) FROM pg_inherits AS i JOIN pg_class AS part ON part.oid = i.inhrelid
WHERE i.inhparent = 'store.{table}'::regclass AND NOT EXISTS (
    SELECT FROM pg_inherits AS j JOIN pg_index AS x ON x.indexrelid = j.inhrelid
    WHERE j.inhparent = 'store.{index}'::regclass AND x.indrelid = part.oid
)
"""


def add_index(index: str, table: str, what: str) -> None:
    """Build an index of ``store``; ``what`` is its definition behind the name of the table: ``(column) WHERE …``.

    All that its step does: each part is committed by itself, and a step that was broken off goes on with the first part
    that is missing. Partitions that are made meanwhile have their part from the start.
    """
    with op.get_context().autocommit_block():
        if not _value(_IS_PARTITIONED.format(table=table)):
            _build(index, table, what)
            return
        op.execute(f"CREATE INDEX IF NOT EXISTS {index} ON ONLY store.{table} {what}")
        while partition := _value(_WITHOUT.format(table=table, index=index)):
            part = f"{partition}_{index}"
            _build(part, partition, what)
            op.execute(f"ALTER INDEX store.{index} ATTACH PARTITION store.{part}")


def _build(index: str, table: object, what: str) -> None:
    if _value(_IS_WHOLE.format(index=index)):
        return
    # It waits for every transaction that began before it, and nobody waits for it.
    op.execute("SET lock_timeout = 0")
    try:
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS store.{index}")  # what is left of one that was broken off
        op.execute(f"CREATE INDEX CONCURRENTLY {index} ON store.{table} {what}")
    finally:
        op.execute("RESET lock_timeout")


def _value(question: str) -> object:
    return op.get_bind().execute(text(question.replace("::", r"\:\:"))).scalar_one()
