"""Silences: alerts that nobody is to be notified of until an end, with a reason. The alerts are raised all the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.store import audit, outbox
from pipeline.store.audit import DONE, Action, Actor
from pipeline.store.session import Connection, Cursor, writing
from pipeline.units import iso
from schemas.topics import ALERTS

LONGEST = timedelta(days=90)
"""What is to be kept quiet for longer is no silence, but a rule to be changed."""

_ADD = """
INSERT INTO store.silence (rule, subject, reason, author, ends_at) VALUES (%s, %s, %s, %s, %s)
RETURNING id, rule, subject, reason, author, created_at, ends_at
"""
_END = "UPDATE store.silence SET ends_at = now() WHERE id = %s AND ends_at > now() RETURNING id"
_LIST = """
SELECT id, rule, subject, reason, author, created_at, ends_at FROM report.silence
WHERE %s OR ends_at > now() ORDER BY ends_at DESC, id
"""
_TOUCHED = """
SELECT a.id FROM report.alert AS a
JOIN store.silence AS s ON store.fits(s.rule, a.rule) AND store.fits(s.subject, a.subject)
WHERE s.id = %s AND a.cleared_at IS NULL
"""


class Silence(NamedTuple):
    """``rule`` and ``subject`` are patterns, in which ``*`` stands for any letters."""

    id: int
    rule: str
    subject: str
    reason: str
    author: str
    created_at: datetime
    ends_at: datetime


def add(
    connection: Connection, actor: Actor, rule: str, subject: str, reason: str, author: str, ends_at: datetime
) -> Silence:
    """A new silence, for alerts that are open and those that come; ``actor`` is who orders it, for the audit.

    Raises TakesNoWrites.
    """
    with writing(connection) as cursor:
        cursor.execute(_ADD, (rule, subject, reason, author, ends_at))
        (row,) = cursor.fetchall()
        silence = Silence(*row)
        _tell(cursor, silence.id)
        about = f"{silence.id}: {rule}, {subject}, until {iso(ends_at)}"
        audit.add(cursor, Action(actor, "add silence", about), DONE)
    return silence


def end(connection: Connection, actor: Actor, number: int) -> bool:
    """End a silence now; whether it was there and not over. Raises TakesNoWrites."""
    with writing(connection) as cursor:
        cursor.execute(_END, (number,))
        ended = bool(cursor.fetchall())
        if ended:
            _tell(cursor, number)
            audit.add(cursor, Action(actor, "end silence", str(number)), DONE)
    return ended


def silences(connection: Connection, over: bool = False) -> list[Silence]:
    """Those that hold, the one that ends last first; with those that are ``over``."""
    with connection, connection.cursor() as cursor:
        cursor.execute(_LIST, (over,))
        return [Silence(*row) for row in cursor.fetchall()]


def _tell(cursor: Cursor, number: int) -> None:
    cursor.execute(_TOUCHED, (number,))
    outbox.add_rows(cursor, ALERTS, [each for (each,) in cursor.fetchall()])
