"""Tokens of the HTTP API whose secrets a test chooses."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta

from pipeline.store.session import connect
from pipeline.store.tokens import digest_of


def let_in(
    database_url: str,
    secret: str,
    role: str,
    vos: Sequence[str] | None = None,
    *,
    name: str = "",
    expires_at: datetime | None = None,
) -> None:
    """Adds a token, named like its secret if nothing else is said; holds for a thousand days."""
    until = expires_at or datetime.now(UTC) + timedelta(days=1000)
    with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store.token (digest, name, role, vos, expires_at) VALUES (%s, %s, %s, %s, %s)",
            (digest_of(secret), name or secret, role, None if vos is None else list(vos), until),
        )


def reads_and_operates(database_url: str) -> None:
    """A reader's token "reads" and an operator's "operates"."""
    let_in(database_url, "reads", "reader")
    let_in(database_url, "operates", "operator")
