"""Samples of what waits in brokers' queues and for consumer groups of Kafka: kept, and judged by their rule."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from typing import Literal, NamedTuple

import psycopg2
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pipeline.stages.backlog import RULE, SAMPLES, judge, subject
from pipeline.stages.link_health import Verdict
from pipeline.store import alerts
from pipeline.store.alerts import Finding
from pipeline.store.session import Unavailable, connect, service_address

SAMPLE_EVERY_S = 30
KNOWN_FOR_S = 3 * SAMPLE_EVERY_S
"""After so long without a sample nobody knows what waits."""

_LAST = """
SELECT depth FROM store.backlog
WHERE sampled_at <= %s AND sampled_at > %s::timestamptz - make_interval(secs => %s)
    AND kind = %s AND broker = %s AND name = %s
ORDER BY sampled_at DESC LIMIT %s
"""


class Sample(NamedTuple):
    """A queue of a broker or a group at one time. None: not known, or, as a ``depth``, that there is no such queue.

    ``depth`` of a group is its lag; ``expired`` and ``dead`` count since the broker's start.
    """

    kind: Literal["queue", "group"]
    broker: str
    name: str
    depth: int | None
    oldest_s: float | None = None
    consumers: int | None = None
    expired: int | None = None
    dead: int | None = None


class Changes(NamedTuple):
    """The subjects of alerts that were raised and cleared."""

    raised: list[str]
    cleared: list[str]


def record(database_url: str, samples: Sequence[Sample], at: datetime, limit: int) -> Changes:
    """Keep the samples of one time and judge each with those before it. Raises Unavailable."""
    try:
        with (
            closing(connect(database_url, "transferscope alerts")) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            add_samples(cursor, at, samples)
            return _judge(cursor, samples, at, limit)
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise Unavailable("PostgreSQL", service_address(database_url), str(error)) from error


def add_samples(cursor: Cursor, at: datetime, samples: Sequence[Sample]) -> None:
    """Keep the samples of one time; one that is there already stays as it is."""
    execute_values(
        cursor,
        "INSERT INTO store.backlog (sampled_at, kind, broker, name, depth, oldest_s, consumers, expired, dead)"
        " VALUES %s ON CONFLICT DO NOTHING",
        [(at, *sample) for sample in samples],
    )


def _judge(cursor: Cursor, samples: Sequence[Sample], at: datetime, limit: int) -> Changes:
    changes = Changes([], [])
    for sample in samples:
        # What is older than that was sampled in another life of the process.
        cursor.execute(_LAST, (at, at, KNOWN_FOR_S, *sample[:3], SAMPLES))
        verdict = judge([depth for (depth,) in cursor.fetchall()], limit)
        about = subject(*sample[:3])
        if verdict is Verdict.CLEAR and alerts.clear_alert(cursor, RULE, about, at):
            changes.cleared.append(about)
        elif verdict is Verdict.RAISE and sample.depth is not None:
            detail = f"{sample.depth} messages wait, more than {limit}"
            if alerts.raise_alert(cursor, Finding(RULE, about, sample.depth, limit, detail), at):
                changes.raised.append(about)
    return changes
