"""What is wrong with a queue of a broker, or with a consumer group? Pure rules over its samples.

Each takes the samples of one queue or group, newest first; samples older than ``NEEDED_S`` change nothing. ``judge`` is
all of them, with ``judge_dead`` for those that ``speakers`` names and ``gone`` for what is no longer sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from itertools import pairwise
from typing import Literal, NamedTuple

from pipeline.stages.alert_rules import (
    BACKLOG,
    BROKER_DEAD,
    EXPIRED,
    NO_CONSUMER,
    OLDEST,
    ORPHAN,
    ORPHAN_S,
    QUIET_S,
    SAMPLES,
    Finding,
    Judged,
    Limits,
    Verdict,
    above,
)

KNOWN_FOR_S = 90
"""After so long without a sample nobody knows what waits: three samples that are as far apart as they may be."""
NEEDED_S = max(ORPHAN_S, QUIET_S) * 1.1
"""Samples of so long are enough for every rule."""
_SLACK = 0.9
"""Samples do not come to the second: so much of a time must be covered by them."""


class Sample(NamedTuple):
    """A queue of a broker or a group at one time. None: not known, or, as a ``depth``, that there is no such queue.

    ``depth`` of a group is its lag, ``consumers`` are its members, ``enqueued`` and ``dequeued`` the sums of the ends
    of its partitions and of the offsets that it has reached. Of a queue ``expired``, ``enqueued`` and ``dequeued``
    count since the broker's start, and ``dead`` is the depth of the broker's dead letter queue.
    """

    kind: Literal["queue", "group"]
    broker: str
    name: str
    depth: int | None
    oldest_s: float | None = None
    consumers: int | None = None
    expired: int | None = None
    dead: int | None = None
    enqueued: int | None = None
    dequeued: int | None = None
    ours: bool = True

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.broker, self.name


class Past(NamedTuple):
    """One of the last samples: how many seconds before the newest it was taken, and what it said."""

    age_s: float
    sample: Sample


def subject(kind: str, broker: str, name: str) -> str:
    """How a queue or group is called in alerts: ``queue Consumer.x.topic on mq1:8161``."""
    return f"{kind} {name} on {broker}"


def rates(newest: Sample, before: Past | None) -> tuple[float | None, float | None]:
    """Messages per second that came and went since the sample before; None: not known, or the broker began anew."""
    if before is None or before.age_s <= 0:
        return None, None

    def rate(now: int | None, then: int | None) -> float | None:
        return None if now is None or then is None or now < then else (now - then) / before.age_s

    return rate(newest.enqueued, before.sample.enqueued), rate(newest.dequeued, before.sample.dequeued)


def judge(past: Sequence[Past], limits: Limits) -> Iterator[Judged]:
    """All that the samples of a queue or group tell.

    Somebody else's is no business of ours as long as somebody reads it, and an orphan if nobody does. But a group of
    his reads Kafka's topics, which are ours: it is told when it is behind.
    """
    newest = past[0].sample
    if newest.ours:
        yield from judge_waiting(past, limits)
        yield judge_expired(past)
        return
    yield judge_orphan(past)
    if newest.kind == "group":
        behind = judge_backlog(past, limits)
        is_left = newest.consumers == 0
        yield behind._replace(verdict=Verdict.KEEP) if is_left and behind.verdict is Verdict.RAISE else behind


def judge_backlog(past: Sequence[Past], limits: Limits) -> Judged:
    """Do too many messages wait?"""
    newest = past[0].sample
    limit = limits.backlog_of(newest.name)
    verdict = above([each.sample.depth for each in _recent(past)], limit)
    detail = f"{newest.depth} messages wait, more than {limit}"
    return Judged(verdict, Finding(BACKLOG, subject(*newest.key), newest.depth or 0, limit, detail))


def judge_waiting(past: Sequence[Past], limits: Limits) -> Iterator[Judged]:
    """All that the last ``SAMPLES`` samples of a queue or group of ours tell."""
    newest = past[0].sample
    about = subject(*newest.key)
    recent = _recent(past)
    yield judge_backlog(past, limits)
    ages = [0.0 if each.sample.depth == 0 else each.sample.oldest_s for each in recent]
    detail = f"the oldest message is {(newest.oldest_s or 0) / 60:.0f} min old, and {newest.depth} wait"
    yield Judged(above(ages, limits.oldest_s), Finding(OLDEST, about, ages[0] or 0, limits.oldest_s, detail))
    yield Judged(_unread(recent), Finding(NO_CONSUMER, about, 0, 1, f"{newest.depth} messages wait and nobody reads"))


def judge_expired(past: Sequence[Past]) -> Judged:
    """Does the broker drop messages of this queue unread?"""
    verdict, more = _rising(past, lambda sample: sample.expired)
    detail = f"{more} messages expired unread since the last sample: they are lost"
    return Judged(verdict, Finding(EXPIRED, subject(*past[0].sample.key), more, 0, detail))


def judge_dead(past: Sequence[Past]) -> Judged:
    """Does the dead letter queue of this queue's broker grow?"""
    newest = past[0].sample
    verdict, more = _rising(past, lambda sample: sample.dead)
    detail = f"{more} messages more than at the last sample, {newest.dead} in all"
    return Judged(verdict, Finding(BROKER_DEAD, f"broker {newest.broker}", more, 0, detail))


def judge_orphan(past: Sequence[Past]) -> Judged:
    """Does a queue or group of somebody else grow that nobody reads?"""
    newest = past[0].sample
    lately = [each for each in past if each.age_s <= ORPHAN_S]
    verdict = Verdict.KEEP
    if newest.consumers or newest.depth == 0:
        verdict = Verdict.CLEAR
    elif lately[-1].age_s >= _SLACK * ORPHAN_S and all(each.sample.consumers == 0 for each in lately):
        grown = (newest.depth or 0) > (lately[-1].sample.depth or 0)
        verdict = Verdict.RAISE if grown else Verdict.KEEP
    then = lately[-1].sample.depth or 0
    where = "in a virtual queue that nobody reads" if newest.kind == "queue" else "for a group that has no member"
    detail = f"{newest.depth} messages wait {where}, {then} of them for 10 min and more"
    return Judged(verdict, Finding(ORPHAN, subject(*newest.key), newest.depth or 0, then, detail))


def speakers(samples: Iterable[Sample]) -> set[tuple[str, str, str]]:
    """Every queue of a broker has the depth of its dead letter queue: the keys of one of each, to speak for it."""
    first: dict[str, tuple[str, str, str]] = {}
    for sample in samples:
        if sample.dead is not None:
            first[sample.broker] = min(first.get(sample.broker, sample.key), sample.key)
    return set(first.values())


def gone(samples: Iterable[Sample], told: Set[str], is_open: Iterable[tuple[str, str]]) -> Iterator[Judged]:
    """Open alerts, by rule and subject, of orphans and groups that are no longer there: ``told`` are the brokers that
    told all that they have in these samples."""
    there = {subject(*sample.key) for sample in samples}
    for rule, about in is_open:
        comes_and_goes = rule == ORPHAN or about.startswith("group ")
        if comes_and_goes and about not in there and about.rpartition(" on ")[2] in told:
            yield Judged(Verdict.CLEAR, Finding(rule, about, 0, 0, ""))


def _recent(past: Sequence[Past]) -> list[Past]:
    """What is older was sampled in another life of the alerter."""
    return [each for each in past if each.age_s < KNOWN_FOR_S]


def _unread(past: Sequence[Past]) -> Verdict:
    newest = past[0].sample
    if newest.consumers or newest.depth == 0:
        return Verdict.CLEAR
    last = past[:SAMPLES]
    unread = len(last) == SAMPLES and all(each.sample.consumers == 0 and each.sample.depth for each in last)
    return Verdict.RAISE if unread else Verdict.KEEP


def _rising(past: Sequence[Past], get: Callable[[Sample], int | None]) -> tuple[Verdict, int]:
    """Whether a count rises, and by how much since the sample before; one that falls began anew and tells nothing."""
    known = [(each.age_s, value) for each in past if (value := get(each.sample)) is not None]
    if get(past[0].sample) is None or len(known) < SAMPLES:
        return Verdict.KEEP, 0
    more = known[0][1] - known[1][1]
    if more > 0:
        return (Verdict.RAISE, more) if known[1][0] < KNOWN_FOR_S else (Verdict.KEEP, 0)
    quiet = all(newer <= older for (_, newer), (_, older) in pairwise(known))
    return Verdict.CLEAR if quiet and known[-1][0] >= _SLACK * QUIET_S else Verdict.KEEP, 0
