"""Kinds of failure by their names."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from pipeline.store.queries.reports import KIND_OF_FAILURE


def kind_of(connection: Connection, identity: str) -> dict[str, str | None] | None:
    """Scope, phase, category, code and template of a kind of failure; None for a name of none that was ever seen."""
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(KIND_OF_FAILURE)} FROM report.error_kind WHERE id = %s LIMIT 1", (identity,))
        row = cursor.fetchone()
    return None if row is None else dict(zip(KIND_OF_FAILURE, row, strict=True))
