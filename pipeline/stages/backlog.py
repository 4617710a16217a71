"""Does too much wait in a queue, or for a consumer group? A pure rule over its last samples."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from pipeline.stages.link_health import Verdict

RULE = "backlog"
SAMPLES = 2
"""So many samples in a row must be above the limit: one of them may be a moment."""
CLEAR_BELOW = Fraction(4, 5)
"""The share of the limit below which it is well again; between the two an alert stays as it is."""


def subject(kind: str, broker: str, name: str) -> str:
    """How a queue or group is called in alerts: ``queue Consumer.x.topic on mq1:8161``."""
    return f"{kind} {name} on {broker}"


def judge(depths: Sequence[int | None], limit: int) -> Verdict:
    """What follows from the last samples, newest first; None is a depth that nobody knows, and tells nothing."""
    newest = depths[0] if depths else None
    if newest is None:
        return Verdict.KEEP
    if newest < CLEAR_BELOW * limit:
        return Verdict.CLEAR
    last = depths[:SAMPLES]
    behind = len(last) == SAMPLES and all(depth is not None and depth > limit for depth in last)
    return Verdict.RAISE if behind else Verdict.KEEP
