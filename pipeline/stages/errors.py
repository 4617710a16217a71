"""Failed transfers by what they died of: how many of each kind on a link and in a window, with one sample."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.stages.template import template
from pipeline.stages.windows import BASE_MS, LinkKey
from schemas.events import FAILED, Complete

SAMPLE = 2048
"""Characters that are kept of a sample."""


class ErrorKey(NamedTuple):
    """What failures are counted by, beside their link; ``""`` stands for none."""

    scope: str
    phase: str
    category: str
    code: str
    template: str


class ErrorDelta:
    """What a batch adds to one kind of failure of one link in one window.

    The sample is the message of the one with the smallest (event time, dedupe hash), whatever the order of arrival.
    """

    __slots__ = ("at_ms", "count", "dedupe", "sample")

    def __init__(self, count: int, at_ms: int, dedupe: int, sample: str) -> None:
        self.count = count
        self.at_ms = at_ms
        self.dedupe = dedupe
        self.sample = sample

    def merge(self, other: ErrorDelta) -> None:
        """Add what another batch or message holds."""
        self.count += other.count
        if (other.at_ms, other.dedupe) < (self.at_ms, self.dedupe):
            self.at_ms, self.dedupe, self.sample = other.at_ms, other.dedupe, other.sample


ErrorDeltas = dict[tuple[int, LinkKey, ErrorKey], ErrorDelta]
"""By window start in ms, link and kind of failure."""


def error_key(scope: str, phase: str, category: str, code: str, message: str) -> ErrorKey:
    """The kind of failure that a message tells of."""
    return ErrorKey(scope, phase, category, code, template(message))


def error_of(complete: Complete) -> ErrorKey | None:
    """The kind of failure of a transfer; None unless it failed."""
    if complete.state != FAILED:
        return None
    c = complete
    return error_key(c.error_scope, c.error_phase, c.error_category, c.error_code, c.error_message)


def add_error(deltas: ErrorDeltas, link: LinkKey, error: ErrorKey, complete: Complete) -> None:
    """Count a failed transfer."""
    event_ms = complete.event_ms
    where = (event_ms - event_ms % BASE_MS, link, error)
    new = ErrorDelta(1, event_ms, complete.dedupe, complete.error_message[:SAMPLE])
    known = deltas.get(where)
    if known is None:
        deltas[where] = new
    else:
        known.merge(new)
