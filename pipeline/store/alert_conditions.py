"""What the store has heard, judged by its rules: silent sources, dead letters, the topology's age."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from psycopg2.extensions import cursor as Cursor

from pipeline.stages.alert_rules import DEAD_LETTERS, DEAD_LETTERS_S, Judged, Limits
from pipeline.stages.alert_service import DEAD_LETTERS_OF, judge_dead_letters, judge_source, judge_topology
from pipeline.store.alerts import open_subjects

# What is committed late was heard all the same: a worker that is behind is the backlog's matter.
_SILENT = """
SELECT source, extract(epoch FROM %s - last_committed_at)::double precision FROM store.freshness ORDER BY source
"""
_DEAD = """
SELECT reason, count(*) FROM store.dead_letter
WHERE died_at > %s::timestamptz - make_interval(secs => %s) AND emptied_at IS NULL GROUP BY reason
"""
_TOPOLOGY = """
SELECT extract(epoch FROM %s - confirmed_at)::double precision FROM store.topology ORDER BY revision DESC LIMIT 1
"""


def judged(cursor: Cursor, at: datetime, limits: Limits) -> Iterator[Judged]:
    """What the rules say of each source, of each reason for dead letters, and of the topology in use."""
    cursor.execute(_SILENT, (at,))
    for source, silent_s in cursor.fetchall():
        yield judge_source(source, silent_s, limits)
    cursor.execute(_DEAD, (at, DEAD_LETTERS_S))
    numbers = dict(cursor.fetchall())
    for rule, about in open_subjects(cursor):
        if rule == DEAD_LETTERS:
            numbers.setdefault(about.removeprefix(DEAD_LETTERS_OF), 0)
    for reason, number in sorted(numbers.items()):
        yield judge_dead_letters(reason, number, limits)
    cursor.execute(_TOPOLOGY, (at,))
    for (age_s,) in cursor.fetchall():
        yield judge_topology(age_s, limits)
