"""Alerts: raised and cleared by the rules, once each however often they say it, and told to Kafka by the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from pipeline.store import outbox
from schemas.topics import ALERTS


class Finding(NamedTuple):
    """What a rule found wrong. ``value`` and ``threshold`` are in the unit of the rule; ``detail`` is a sentence."""

    rule: str
    subject: str
    value: float
    threshold: float
    detail: str


_RAISE = """
INSERT INTO store.alert (rule, subject, raised_at, value, threshold, detail) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (rule, subject) WHERE cleared_at IS NULL DO NOTHING RETURNING id
"""
_CLEAR = """
UPDATE store.alert SET cleared_at = greatest(%s, raised_at)
WHERE rule = %s AND subject = %s AND cleared_at IS NULL RETURNING id
"""


def raise_alert(cursor: Cursor, finding: Finding, at: datetime) -> bool:
    """Whether this made an alert: False while one of this rule and subject is open, which stays as it is."""
    cursor.execute(_RAISE, (finding.rule, finding.subject, at, finding.value, finding.threshold, finding.detail))
    return _tell(cursor)


def clear_alert(cursor: Cursor, rule: str, subject: str, at: datetime) -> bool:
    """Whether this closed an alert: False when none of this rule and subject is open."""
    cursor.execute(_CLEAR, (at, rule, subject))
    return _tell(cursor)


def _tell(cursor: Cursor) -> bool:
    ids = [number for (number,) in cursor.fetchall()]
    outbox.add_rows(cursor, ALERTS, ids)
    return bool(ids)
