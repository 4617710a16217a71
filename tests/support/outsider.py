"""Somebody else who reads ``broker-depth`` and judges what he reads by the rules, with no word from the alerter.

This is all that it takes: the documents of a time are its samples, a broker with samples has told all its queues, and
what was sampled in the last ``NEEDED_S`` is the past of each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pipeline.stages.alert_rules import Judged, Limits, Verdict
from pipeline.stages.backlog import NEEDED_S, Past, Sample, gone, judge, judge_dead, speakers

Key = tuple[str, str, str]
Change = tuple[str, str, str, datetime]
"""``raised`` or ``cleared``, rule, subject, when."""


def changes(documents: Iterable[Mapping[str, Any]], limits: Limits) -> list[Change]:
    """What is raised and cleared by all samples that were published, sorted."""
    by_time: dict[datetime, dict[Key, Sample]] = defaultdict(dict)
    for document in documents:
        fields = {name: value for name, value in document.items() if name != "sampled_at"}
        sample = Sample(**fields)
        by_time[datetime.fromisoformat(document["sampled_at"])][sample.key] = sample  # it may have come twice
    is_open: set[tuple[str, str]] = set()
    found: list[Change] = []
    for at in sorted(by_time):
        before = set(is_open)
        for verdict, finding in _judged(by_time, at, limits, before):
            alert = finding.rule, finding.subject
            if verdict is Verdict.RAISE and alert not in before:
                is_open.add(alert)
                found.append(("raised", *alert, at))
            elif verdict is Verdict.CLEAR and alert in before:
                is_open.remove(alert)
                found.append(("cleared", *alert, at))
    return sorted(found)


def _judged(
    by_time: Mapping[datetime, Mapping[Key, Sample]], at: datetime, limits: Limits, is_open: set[tuple[str, str]]
) -> Iterator[Judged]:
    samples = list(by_time[at].values())
    speaking = speakers(samples)
    for sample in samples:
        past = [
            Past((at - then).total_seconds(), by_time[then][sample.key])
            for then in sorted(by_time, reverse=True)
            if sample.key in by_time[then] and 0 <= (at - then).total_seconds() < NEEDED_S
        ]
        yield from judge(past, limits)
        if sample.key in speaking:
            yield judge_dead(past)
    yield from gone(samples, {sample.broker for sample in samples}, is_open)
