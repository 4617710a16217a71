"""Names that occur in windows, for completion and for telling a misspelt one."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from pipeline.store.queries.conditions import like_pattern

KINDS: dict[str, tuple[str, ...]] = {
    "site": ("src_site", "dst_site"),
    "host": ("src_host", "dst_host"),
    "country": ("src_country", "dst_country"),
    "vo": ("vo",),
    "channel": ("channel",),
    "fts": ("fts",),
    "technology": ("technology",),
}
"""Kinds of names -> the columns of link windows that hold them."""


def names(connection: Connection, kind: str, prefix: str, limit: int) -> list[str]:
    """The first ``limit`` names of the kind that begin so, in any case, in the order of the alphabet."""
    select = " UNION ".join(f"SELECT {column} FROM report.link_key" for column in KINDS[kind])
    with connection, connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT name FROM ({select}) AS known (name) WHERE name ILIKE %s ORDER BY name LIMIT %s",
            (_literal(prefix) + "%", limit),
        )
        return [str(name) for (name,) in cursor.fetchall()]


def is_known(connection: Connection, kind: str, name: str) -> bool:
    """Whether a name of this kind occurs in any window."""
    either = " OR ".join(f"{column} = %s" for column in KINDS[kind])
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM report.link_key WHERE {either})", (name,) * len(KINDS[kind]))
        row = cursor.fetchone()
    return bool(row and row[0])


def _literal(prefix: str) -> str:
    """The pattern of a text in which * and ? are themselves."""
    return like_pattern(prefix.replace("*", "\0").replace("?", "\1")).replace("\0", "*").replace("\1", "?")
