"""Tokens of the HTTP API, of which the database keeps the SHA-256 alone.

A token is 256 random bits, so its plain SHA-256 can be neither guessed nor looked up in a table; salt and a slow hash
protect secrets that people choose, and would cost each request what guessing cannot cost here.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import psycopg2

from pipeline.store.session import Connection, Cursor, TakesNoWrites, writing

ROLES = ("reader", "operator", "administrator")
PREFIX = "ts_"
"""So that scanners for lost secrets know one."""


class NameTaken(Exception):
    """There is a token of this name that is not revoked."""


class Token(NamedTuple):
    """What is known of a token. ``vos``: whose single transfers it shows, None for all. ``last_used_at`` is the
    beginning of an hour."""

    id: int
    name: str
    role: str
    vos: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class Usable(NamedTuple):
    """A token that lets somebody in until it expires, with the SHA-256 that tells it."""

    digest: bytes
    token: Token


_COLUMNS = "id, name, role, vos, created_at, expires_at, revoked_at, last_used_at"


def digest_of(secret: str) -> bytes:
    """What is kept of a token."""
    return sha256(secret.encode()).digest()


def add(cursor: Cursor, name: str, role: str, vos: Sequence[str] | None, expires_at: datetime) -> str:
    """A new token: it is known to nobody else, and cannot be read again. Raises NameTaken."""
    secret = PREFIX + secrets.token_urlsafe(32)
    try:
        cursor.execute(
            "INSERT INTO store.token (digest, name, role, vos, expires_at) VALUES (%s, %s, %s, %s, %s)",
            (digest_of(secret), name, role, None if vos is None else sorted(vos), expires_at),
        )
    except psycopg2.errors.UniqueViolation as error:
        raise NameTaken(name) from error
    return secret


def revoke(cursor: Cursor, name: str) -> bool:
    """End a token; False when there is none of this name that still holds."""
    cursor.execute("UPDATE store.token SET revoked_at = now() WHERE name = %s AND revoked_at IS NULL", (name,))
    return int(cursor.rowcount) > 0


def listed(cursor: Cursor) -> list[Token]:
    """All tokens there ever were, by name, the newest of a name first."""
    cursor.execute(f"SELECT {_COLUMNS} FROM store.token ORDER BY name, id DESC")
    return [_token(*row) for row in cursor.fetchall()]


def usable(connection: Connection, used: Iterable[int]) -> list[Usable]:
    """The tokens that hold now, after noting that those of the ids ``used`` were used in this hour. Commits.

    For connections that are read-only by default, too. On a standby nothing can be noted.
    """
    ids = sorted(used)
    if ids:
        with suppress(TakesNoWrites), writing(connection) as cursor:
            cursor.execute(
                "UPDATE store.token SET last_used_at = date_trunc('hour', now(), 'UTC')"
                " WHERE id = ANY(%s) AND last_used_at IS DISTINCT FROM date_trunc('hour', now(), 'UTC')",
                (ids,),
            )
    with connection, connection.cursor() as cursor:
        cursor.execute(
            f"SELECT digest, {_COLUMNS} FROM store.token WHERE revoked_at IS NULL AND expires_at > now() ORDER BY id"
        )
        return [Usable(bytes(digest), _token(*row)) for digest, *row in cursor.fetchall()]


def _token(number: int, name: str, role: str, vos: list[str] | None, *times: datetime) -> Token:
    return Token(number, name, role, None if vos is None else tuple(vos), *times)
