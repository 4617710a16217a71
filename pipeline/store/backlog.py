"""Samples of what waits in brokers' queues and for consumer groups of Kafka: kept, and judged by their rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import closing
from datetime import datetime

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pipeline.stages.alert_rules import BROKER_DEAD, EXPIRED, Judged, Limits
from pipeline.stages.backlog import (
    KNOWN_FOR_S,
    NEEDED_S,
    Past,
    Sample,
    gone,
    judge,
    judge_dead,
    rates,
    speakers,
    subject,
)
from pipeline.store import alert_conditions, alerts
from pipeline.store.alerts import Changes
from pipeline.store.session import AWAY, Unavailable, connect, service_address

_COLUMNS = "kind, broker, name, depth, oldest_s, consumers, expired, dead, enqueued, dequeued"
_LAST = f"""
SELECT extract(epoch FROM %s - sampled_at)::double precision, {_COLUMNS} FROM store.backlog
WHERE sampled_at < %s AND sampled_at > %s::timestamptz - make_interval(secs => %s)
"""
_NEWEST_FIRST = " ORDER BY sampled_at DESC"
_OF_THESE = " AND (kind, broker, name) IN %s"

Key = tuple[str, str, str]
History = dict[Key, list[Past]]


def record(
    database_url: str, samples: Sequence[Sample], at: datetime, limits: Limits, told: frozenset[str] = frozenset()
) -> Changes:
    """Keep the samples of one time, judge each with those before it, and judge what the store has heard.

    ``told`` are the brokers that told all their queues: an orphan that is not among the samples of one is gone. Raises
    Unavailable.
    """
    try:
        with (
            closing(connect(database_url, "transferscope alerts")) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            # What is older than that was sampled in another life of the process.
            history = _history(cursor, at, KNOWN_FOR_S)
            add_samples(cursor, at, samples, history)
            is_open = alerts.open_subjects(cursor)
            judged = [*_judged(cursor, samples, at, limits, history, is_open), *gone(samples, told, is_open)]
            changes = alerts.apply(cursor, [*judged, *alert_conditions.judged(cursor, at, limits)], at)
            alerts.beat(cursor, at)
            return changes
    except AWAY as error:
        raise Unavailable("PostgreSQL", service_address(database_url), str(error)) from error


def add_samples(cursor: Cursor, at: datetime, samples: Sequence[Sample], history: History | None = None) -> None:
    """Keep the samples of one time, with rates since those before; one that is there already stays as it is."""
    before = history or {}
    execute_values(
        cursor,
        f"INSERT INTO store.backlog (sampled_at, {_COLUMNS}, enqueue_rate, dequeue_rate)"
        " VALUES %s ON CONFLICT DO NOTHING",
        [(at, *sample[:-1], *rates(sample, next(iter(before.get(sample.key, ())), None))) for sample in samples],
        page_size=1000,
    )


def _history(cursor: Cursor, at: datetime, seconds: float, keys: Iterable[Key] | None = None) -> History:
    """The samples of the last seconds before that time, newest first; of these keys alone, if any are given."""
    values: list[object] = [at, at, at, seconds]
    if keys is None:
        cursor.execute(_LAST + _NEWEST_FIRST, values)
    else:
        cursor.execute(_LAST + _OF_THESE + _NEWEST_FIRST, [*values, tuple(keys)])
    history: History = {}
    for age_s, *sample in cursor.fetchall():
        past = Past(age_s, Sample(*sample))
        history.setdefault(past.sample.key, []).append(past)
    return history


def _judged(
    cursor: Cursor,
    samples: Sequence[Sample],
    at: datetime,
    limits: Limits,
    history: History,
    is_open: Set[tuple[str, str]],
) -> Iterator[Judged]:
    speaking = speakers(samples)
    long = {
        sample.key
        for sample in samples
        if (sample.ours and (EXPIRED, subject(*sample.key)) in is_open)
        or (sample.key in speaking and (BROKER_DEAD, f"broker {sample.broker}") in is_open)
        or (not sample.ours and sample.depth and sample.consumers == 0)
    }
    longer = _history(cursor, at, NEEDED_S, long) if long else {}
    for sample in samples:
        past = [Past(0.0, sample), *(longer.get(sample.key) or history.get(sample.key) or [])]
        yield from judge(past, limits)
        if sample.key in speaking:
            yield judge_dead(past)
