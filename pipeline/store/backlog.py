"""Samples of what waits in brokers' queues and for consumer groups of Kafka."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

SAMPLE_EVERY_S = 30
KNOWN_FOR_S = 3 * SAMPLE_EVERY_S
"""After so long without a sample nobody knows what waits."""


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


def add_samples(cursor: Cursor, at: datetime, samples: Iterable[Sample]) -> None:
    """Keep the samples of one time; one that is there already stays as it is."""
    execute_values(
        cursor,
        "INSERT INTO store.backlog (sampled_at, kind, broker, name, depth, oldest_s, consumers, expired, dead)"
        " VALUES %s ON CONFLICT DO NOTHING",
        [(at, *sample) for sample in samples],
    )
