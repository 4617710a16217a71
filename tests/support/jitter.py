"""Queues that wander around the limit while the real alerter watches, and what became of it, recounted.

The samples are those that the alerter published in Kafka; what they must give is told by ``literal_backlog``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from schemas.topics import BROKER_DEPTH, BROKER_TOPICS
from tests.support.commands import Commands
from tests.support.database import Database
from tests.support.kafka_reader import KafkaReader
from tests.support.literal_backlog import Event, alerts_by_the_rule
from tests.support.wandering import Wandering
from tests.support.webhook import Webhook, webhook

_RULE = "backlog"
_AT_REST_SAMPLES = 3
_UNKNOWN_AFTER_S = 90.0
_Series = list[tuple[datetime, int | None]]


class Outcome(NamedTuple):
    """``differences`` are sentences; none: all is as it must be. Times in seconds, from a crossing of the limit until
    the alert was raised or cleared in the store, and until Alertmanager's stand-in was told of it."""

    queues: int
    moves: int
    samples: int
    crossings: int
    raised: int
    cleared: int
    raise_s: list[float]
    raise_told_s: list[float]
    clear_s: list[float]
    clear_told_s: list[float]
    documents: list[dict[str, Any]]
    differences: list[str]


def jitter(transferscope: Commands, seconds: float, limit: int, sample_s: int, queues: int, seed: int) -> Outcome:
    """Wander for so long with so many queues, and recount. The commands' database must be empty."""
    consumer = transferscope.settings["TRANSFERSCOPE_STOMP_CONSUMER"]
    names = [f"Consumer.{consumer}.{topic}" for topic in list(BROKER_TOPICS)[:queues]]
    assert len(names) == queues, f"no more than {len(BROKER_TOPICS)} queues"
    wandering = [
        Wandering(name, transferscope.settings, limit, 1.5 * sample_s, seed + number)
        for number, name in enumerate(names)
    ]
    with ExitStack() as stack:
        receiver = stack.enter_context(webhook())
        reader = stack.enter_context(KafkaReader(transferscope.settings["TRANSFERSCOPE_KAFKA_BOOTSTRAP"], BROKER_DEPTH))
        own = {"BACKLOG_LIMIT": limit, "ALERTS_SAMPLE_SECONDS": sample_s, "ALERTS_ALERTMANAGER": receiver.url}
        alerts = transferscope.start(
            "alerts", settings={f"TRANSFERSCOPE_{name}": str(value) for name, value in own.items()}
        )
        alerts.await_word("health page at ", 60)
        for each in wandering:
            each.start()
        time.sleep(seconds)
        for each in wandering:
            each.end()
        _await_rest(reader, set(names))
        alerts.end()
        documents = [json.loads(record.value) for record in reader.read_rest()]
    with closing(Database(transferscope.database_url)) as database:
        return _recounted(wandering, limit, documents, _alerts(database), receiver)


def series_of(documents: Sequence[dict[str, Any]]) -> dict[str, _Series]:
    """Time and depth of every sample, oldest first, by the queue's subject."""
    found: dict[str, dict[datetime, int | None]] = {}
    for each in documents:
        subject = "{kind} {name} on {broker}".format_map(each)
        found.setdefault(subject, {})[datetime.fromisoformat(each["sampled_at"])] = each["depth"]
    return {subject: sorted(series.items()) for subject, series in found.items()}


def _await_rest(reader: KafkaReader, names: set[str]) -> None:
    """Returns when the last samples have found all queues empty, and been judged: the next one is there."""

    last: dict[str, list[int | None]] = {name: [None] * _AT_REST_SAMPLES for name in names}

    def is_at_rest(records: Sequence[Any]) -> bool:
        for record in records[read[0] :]:
            document = json.loads(record.value)
            if document["name"] in last:
                last[document["name"]] = [*last[document["name"]][1:], document["depth"]]
        read[0] = len(records)
        return all(depth == 0 for depths in last.values() for depth in depths)

    read = [0]
    try:
        reader.read_until(is_at_rest, 180)
    except AssertionError as error:
        raise AssertionError(f"queues that were emptied hold messages: {last}") from error


def _alerts(database: Database) -> dict[str, list[Event[datetime]]]:
    """What the product raised and cleared, by subject, in order."""
    found: dict[str, list[Event[datetime]]] = {}
    asked = "SELECT subject, raised_at, cleared_at FROM report.alert WHERE rule = %s ORDER BY raised_at"
    for subject, raised_at, cleared_at in database.ask(asked, [_RULE]):
        events = found.setdefault(subject, [])
        events.append(("raised", raised_at))
        if cleared_at is not None:
            events.append(("cleared", cleared_at))
    return found


def _recounted(
    wandering: Sequence[Wandering],
    limit: int,
    documents: list[dict[str, Any]],
    alerts: dict[str, list[Event[datetime]]],
    receiver: Webhook,
) -> Outcome:
    differences: list[str] = []
    times: dict[tuple[str, str], list[float]] = {
        (word, to): [] for word in ("raised", "cleared") for to in ("us", "others")
    }
    series = series_of(documents)
    for subject in sorted({*series, *alerts}):
        samples = series.get(subject, [])
        expected, found = alerts_by_the_rule(samples, limit), alerts.get(subject, [])
        for what, events in (("is missing", set(expected) - set(found)), ("is too much", set(found) - set(expected))):
            differences += [f"{subject}: {word} at {at} {what}" for word, at in sorted(events)]
        gaps = [(later - earlier).total_seconds() for (earlier, _), (later, _) in pairwise(samples)]
        differences += [f"{subject}: no sample for {gap:.0f} s" for gap in gaps if gap > _UNKNOWN_AFTER_S]
    watched = 0
    for each in wandering:
        (subject,) = (name for name in series if name.startswith(f"queue {each.queue} on "))
        watched += len(series[subject])
        for word, at in alerts.get(subject, []):
            first = _first(word, at, series[subject], limit)
            before = max((when.timestamp() for when, _ in series[subject] if when < first), default=0.0)
            spans = each.above if word == "raised" else each.well
            crossed_at = spans.begin(before, at.timestamp())
            times[word, "us"].append(at.timestamp() - crossed_at)
            told_at = _told_at(receiver, word, subject, at)
            if told_at is None:
                differences.append(f"{subject}: nobody was told that it was {word} at {at}")
            else:
                times[word, "others"].append(told_at - crossed_at)
        raised = [at for word, at in alerts.get(subject, []) if word == "raised"]
        if len(raised) > len(each.above.all):
            differences.append(f"{subject}: raised {len(raised)} times, and crossed {len(each.above.all)} times")
    return Outcome(
        queues=len(wandering),
        moves=sum(each.moves for each in wandering),
        samples=watched,
        crossings=sum(len(each.above.all) for each in wandering),
        raised=len(times["raised", "us"]),
        cleared=len(times["cleared", "us"]),
        raise_s=times["raised", "us"],
        raise_told_s=times["raised", "others"],
        clear_s=times["cleared", "us"],
        clear_told_s=times["cleared", "others"],
        documents=documents,
        differences=differences,
    )


def _first(word: str, at: datetime, samples: _Series, limit: int) -> datetime:
    """The first of the samples that led to the alert: of a raise the beginning of its run above the limit."""
    if word == "cleared":
        return at
    first = at
    for when, depth in reversed([sample for sample in samples if sample[0] <= at]):
        if depth is None or depth <= limit:
            break
        first = when
    return first


def _told_at(receiver: Webhook, word: str, subject: str, at: datetime) -> float | None:
    """When it was first posted, in seconds since the epoch."""
    which, near = ("startsAt" if word == "raised" else "endsAt"), timedelta(milliseconds=1)
    for posted_at, (_, alerts) in zip(receiver.told_at, receiver.told, strict=True):
        for alert in alerts:
            labels = alert["labels"]
            is_it = (labels["alertname"], labels["subject"]) == (_RULE, subject)
            if is_it and abs(datetime.fromisoformat(alert[which]) - at) <= near:
                return posted_at
    return None
