"""Times in which nothing was received of what a picture shows: there it has a gap, and not 0."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from pipeline.store.queries.gaps import Source
from pipeline.web import asks
from pipeline.web.context import Context
from pipeline.web.filters import Span
from pipeline.web.pages.axis import from_datetime
from pipeline.web.pages.frame import like
from pipeline.web.parameters import Common, Ranked
from schemas.events import FTS

MOST_INSTANCES = 1000

Times = tuple[tuple[int, int], ...]
"""Half-open times (ms) in order, none of which touch."""


@dataclass(frozen=True)
class Silence:
    """``times`` in which no source was heard; ``since_ms`` is when the first one was heard, None where not known."""

    times: Times = ()
    since_ms: int | None = None

    def overlaps(self, from_ms: int, to_ms: int) -> bool:
        """Whether some of this time was silent."""
        begin, _ = self._next(from_ms)
        return begin < to_ms

    def hides(self, from_ms: int, to_ms: int) -> bool:
        """Whether nothing can be known of this time: silent all along, or before anything was heard."""
        begin, end = self._next(from_ms)
        return (begin <= from_ms and to_ms <= end) or (self.since_ms is not None and to_ms <= self.since_ms)

    def _next(self, at_ms: int) -> tuple[float, float]:
        place = bisect_right(self.times, at_ms, key=lambda time: time[1])
        return self.times[place] if place < len(self.times) else (inf, inf)


NEVER = Silence()


def silences(context: Context, asked: Common, span: Span, technologies: Sequence[str]) -> dict[str, Silence]:
    """The silence of each technology: when all of the sources were silent that told of it in the range.

    Several instances of FTS serve a pair or a VO, and others do not: those count that have anything with these filters.
    """
    found = {}
    for technology in technologies:
        own = [source for source in context.sources(asked, span) if technology in source.technologies]
        if technology == FTS and len(own) > 1 and any(source.gaps for source in own):
            told = asks.links(context, like(asked, Ranked, by="fts", limit=MOST_INSTANCES, technology=[FTS]))
            instances = {row["fts"] for row in told.records()}
            own = [source for source in own if source.name in instances]
        found[technology] = together(own)
    return found


def together(sources: Sequence[Source]) -> Silence:
    """When all of the sources were silent that were known by then."""
    if not sources:
        return NEVER
    since = [from_datetime(source.first) for source in sources]
    gaps = [[(from_datetime(begin), from_datetime(end)) for begin, end in source.gaps] for source in sources]
    edges = sorted({*since, *(edge for each in gaps for gap in each for edge in gap)})
    times: list[tuple[int, int]] = []
    for begin, end in pairwise(edges):
        # A source that was not yet heard is not missed: another one must have been.
        missed = [_within(each, begin) for each, first in zip(gaps, since, strict=True) if first <= begin]
        if missed and all(missed):
            joined = times and times[-1][1] == begin
            times[-1:] = [(times[-1][0], end)] if joined else [*times[-1:], (begin, end)]
    return Silence(tuple(times), min(since))


def _within(gaps: Sequence[tuple[int, int]], at_ms: int) -> bool:
    place = bisect_right(gaps, (at_ms, inf)) - 1
    return place >= 0 and at_ms < gaps[place][1]
