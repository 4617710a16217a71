"""Up to when windows are final: a pure rule over what was committed and what is proved to be idle (semantics.md, Late
data)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from schemas.events import FTS
from schemas.topics import FTS_TRANSFER, XROOTD_TRANSFER

GRACE_MS = 35 * 60_000
"""A window is final when receipt times so long after its end are committed: what comes later is late."""

FORGOTTEN_MS = 24 * 3_600_000
"""Of a broker that was not heard for so long, while others were, nothing more can come: its messages have expired."""


def topic_of(technology: str) -> str:
    """The Kafka topic that tells of a technology."""
    return FTS_TRANSFER if technology == FTS else XROOTD_TRANSFER


class Place(NamedTuple):
    """A partition of a Kafka topic."""

    topic: str
    partition: int


class Source(NamedTuple):
    """What one broker sends into one partition."""

    topic: str
    partition: int
    origin: str


class Idle(NamedTuple):
    """What was seen at an instant: the brokers' queues, which were asked first, and the lag of each partition.

    ``empty_at_ms`` is None unless every virtual queue was seen to exist and to be empty after that instant; ``why``
    says what kept it from being seen.
    """

    empty_at_ms: int | None
    lags: Mapping[Place, int]
    why: str


class Watermark(NamedTuple):
    """All that a topic's brokers received before ``through_ms`` is committed; None: nothing is known to be.

    ``held_by`` says what keeps it from being later.
    """

    through_ms: int | None
    held_by: str


def watermarks(progress: Mapping[Source, int], idle: Idle) -> dict[str, Watermark]:
    """For each topic, the least that its partitions have reached. ``progress``: newest committed receipt times."""
    found: dict[str, Watermark] = {}
    for place in sorted(idle.lags):
        reached = _reached(place, progress, idle)
        known = found.get(place.topic)
        if known is None or _order(reached) < _order(known):
            found[place.topic] = reached
    return found


def final_until(through_ms: int) -> int:
    """The latest end of a base window that is final when all received before ``through_ms`` is committed."""
    end_ms = through_ms - GRACE_MS
    return end_ms - end_ms % 600_000


def _order(watermark: Watermark) -> int:
    return -1 if watermark.through_ms is None else watermark.through_ms


def _reached(place: Place, progress: Mapping[Source, int], idle: Idle) -> Watermark:
    """A partition without lag holds all that had left the brokers, and these had kept nothing back; else it has reached
    what each of the topic's brokers has reached in it."""
    lag = idle.lags[place]
    if lag == 0 and idle.empty_at_ms is not None:
        return Watermark(idle.empty_at_ms, f"{place.topic}-{place.partition} was idle when it was last looked at")
    waiting = f"{lag} messages wait" if lag else idle.why
    origins = _origins(place.topic, progress)
    least = min(((progress.get(Source(*place, origin), -1), origin) for origin in origins), default=(-1, ""))
    if least[0] < 0:
        said = f"nothing of {least[1]} is committed in it" if least[1] else "nothing is committed in it"
        return Watermark(None, f"{place.topic}-{place.partition}: {said}, and {waiting}")
    return Watermark(least[0], f"{place.topic}-{place.partition}: {least[1]} was last heard in it then, and {waiting}")


def _origins(topic: str, progress: Mapping[Source, int]) -> Iterable[str]:
    """The brokers that were heard in a topic lately."""
    newest: dict[str, int] = {}
    for source, received_ms in progress.items():
        if source.topic == topic:
            newest[source.origin] = max(newest.get(source.origin, 0), received_ms)
    last = max(newest.values(), default=0)
    return sorted(origin for origin, received_ms in newest.items() if received_ms > last - FORGOTTEN_MS)
