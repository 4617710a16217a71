"""What operators did, for ``report.audit``: lines are added, and nobody who adds them can change one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from pipeline.store.session import AWAY, Connection, Cursor, Unavailable, writing

BEGUN = "begun"
DONE = "done"
_MOST = 1000
"""Characters of a field: files and errors may be long."""


@dataclass(frozen=True)
class Actor:
    """``via`` says how ``who`` is known (``token 7``, ``oidc ISSUER``, ``os``), ``origin`` from which address or host
    the order came."""

    who: str
    via: str
    origin: str


@dataclass(frozen=True)
class Action:
    """One thing that an operator does: two or three words, and to what."""

    actor: Actor
    action: str
    subject: str = ""
    operation: str = field(default_factory=lambda: secrets.token_hex(8))


def add(cursor: Cursor, action: Action, result: str) -> None:
    """One line, as a part of the transaction."""
    actor = action.actor
    fields = (action.operation, actor.who, actor.via, actor.origin, action.action, action.subject, result)
    cursor.execute(
        "INSERT INTO store.audit (operation, who, via, origin, action, subject, result)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        tuple(field.replace("\0", "\N{REPLACEMENT CHARACTER}")[:_MOST] for field in fields),
    )


def note(connection: Connection, action: Action, result: str = DONE) -> None:
    """One line in a transaction of its own, on a connection that may be read-only by default. What was open on it ends.

    Raises TakesNoWrites, Unavailable.
    """
    try:
        with writing(connection) as cursor:
            add(cursor, action, result)
    except AWAY as error:
        raise Unavailable("PostgreSQL", connection.info.host or "local socket", str(error)) from error


def forget(connection: Connection) -> int:
    """Delete lines that are older than 13 months; how many. Commits."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT store.forget_audit()")
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])
