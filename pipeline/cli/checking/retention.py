"""Whether things are kept as long as they must be, and no longer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from consumers.kafka.admin import Kept
from pipeline.cli.checking.check import Check, Verdict
from pipeline.store.housekeeping import AHEAD_DAYS
from pipeline.store.partitions import DAY_MS, Partition
from pipeline.units import duration

BROKER_MS = DAY_MS
"""Virtual queues keep a message for a day: so long a worker may be away if Kafka keeps it as well."""


def of_topics(kept: Sequence[Kept]) -> Check:
    """One line about what Kafka keeps; nothing: it does not tell."""
    what = "retention of Kafka"
    if not kept:
        return Check(what, Verdict.LEFT_OUT, "our user may not see it (DESCRIBE_CONFIGS on the topics)")
    short = [each for each in kept if 0 <= each.ms < BROKER_MS]
    if short:
        names = ", ".join(f"{each.topic} keeps {duration(each.ms)}" for each in short)
        told = f"{names}, less than the 24 h of the brokers' queues: what a worker that is away does not read is lost"
        return Check(what, Verdict.WRONG, f"{told}; raise retention.ms")
    cut = [each for each in kept if each.bytes >= 0]
    if cut:
        names = ", ".join(f"{each.topic} at {each.bytes} bytes a partition" for each in cut)
        told = f"cut by size whatever its age: {names}; set retention.bytes to -1 unless a day is sure to fit"
        return Check(what, Verdict.WARNING, told)
    times = [each.ms for each in kept if each.ms >= 0]
    return Check(what, Verdict.OK, f"{duration(min(times))} or more, by time alone" if times else "for ever")


def of_store(overdue: Sequence[Partition], newest_ms: int | None, now_ms: int) -> Check:
    """One line about partitions: ``overdue`` should have been dropped a day ago, ``newest_ms`` is the end of the newest
    that holds transfers."""
    what = "retention of PostgreSQL"
    if newest_ms is None:
        return Check(what, Verdict.OK, "nothing is stored yet; workers keep house")
    today_ms = now_ms - now_ms % DAY_MS
    behind = (today_ms + (AHEAD_DAYS + 1) * DAY_MS - newest_ms) // DAY_MS
    if overdue:
        oldest = _day(min(part.begin_ms for part in overdue))
        told = f"{len(overdue)} partitions are older than what is kept, the oldest of {oldest}"
        return Check(what, Verdict.WRONG, f"{told}: workers drop them unless a query holds a table; see their log")
    if behind > 1:
        told = f"partitions are made up to {_day(newest_ms - 1)} only, so housekeeping was last done {behind} days ago"
        return Check(what, Verdict.WARNING, f"{told} or never: start a worker, it keeps house")
    return Check(what, Verdict.OK, f"nothing is older than what is kept; partitions are there to {_day(newest_ms - 1)}")


def _day(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d}"
