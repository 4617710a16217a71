"""Alerts: raised and cleared by the rules, once each however often they say it, and told to Kafka by the outbox."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from pipeline.stages.alert_rules import Finding, Judged, Verdict
from pipeline.store import outbox
from schemas.topics import ALERTS

_RAISE = """
INSERT INTO store.alert (rule, subject, raised_at, value, threshold, detail) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (rule, subject) WHERE cleared_at IS NULL DO NOTHING RETURNING id
"""
_CLEAR = """
UPDATE store.alert SET cleared_at = greatest(%s, raised_at)
WHERE rule = %s AND subject = %s AND cleared_at IS NULL RETURNING id
"""
_BEAT = """
INSERT INTO store.heartbeat (process, beat_at) VALUES ('alerts', %s)
ON CONFLICT (process) DO UPDATE SET beat_at = greatest(heartbeat.beat_at, excluded.beat_at)
"""


class Changes(NamedTuple):
    """The alerts that were raised and cleared."""

    raised: list[Finding]
    cleared: list[Finding]


def apply(cursor: Cursor, judged: Iterable[Judged], at: datetime) -> Changes:
    """Raise and clear what the rules say. Only what changes is written, so a thousand quiet subjects cost one look."""
    is_open = open_subjects(cursor)
    changes = Changes([], [])
    for verdict, finding in judged:
        known = (finding.rule, finding.subject) in is_open
        if verdict is Verdict.RAISE and not known and raise_alert(cursor, finding, at):
            changes.raised.append(finding)
        elif verdict is Verdict.CLEAR and known and clear_alert(cursor, finding.rule, finding.subject, at):
            changes.cleared.append(finding)
    return changes


def open_subjects(cursor: Cursor) -> set[tuple[str, str]]:
    """Rule and subject of every open alert."""
    cursor.execute("SELECT rule, subject FROM store.alert WHERE cleared_at IS NULL")
    return {(rule, subject) for rule, subject in cursor.fetchall()}


def raise_alert(cursor: Cursor, finding: Finding, at: datetime) -> bool:
    """Whether this made an alert: False while one of this rule and subject is open, which stays as it is."""
    cursor.execute(_RAISE, (finding.rule, finding.subject, at, finding.value, finding.threshold, finding.detail))
    return _tell(cursor)


def clear_alert(cursor: Cursor, rule: str, subject: str, at: datetime) -> bool:
    """Whether this closed an alert: False when none of this rule and subject is open."""
    cursor.execute(_CLEAR, (at, rule, subject))
    return _tell(cursor)


def beat(cursor: Cursor, at: datetime) -> None:
    """Somebody has looked: the rules were judged at this time."""
    cursor.execute(_BEAT, (at,))


def _tell(cursor: Cursor) -> bool:
    ids = [number for (number,) in cursor.fetchall()]
    outbox.add_rows(cursor, ALERTS, ids)
    return bool(ids)
