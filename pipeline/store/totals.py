"""How much of what was sent has arrived: three numbers, cheap to ask every second."""

from __future__ import annotations

from typing import NamedTuple

from psycopg2.extensions import connection as Connection


class Totals(NamedTuple):
    """Messages by what became of them."""

    stored: int
    duplicate: int
    dead: int


def totals(connection: Connection) -> Totals:
    """All messages so far."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(stored), 0)::bigint, coalesce(sum(duplicate), 0)::bigint,"
            " coalesce(sum(dead), 0)::bigint FROM report.source_10m"
        )
        row = cursor.fetchone()
    return Totals(*row) if row else Totals(0, 0, 0)
