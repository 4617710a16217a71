"""Ranges beside one that is shown: earlier, later, closer, wider; as links, so that no plot need be dragged."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.stages.windows import BASE_MS, WIDTHS_MS
from pipeline.store.queries.instants import ceil_ms, floor_ms
from pipeline.web.filters import MAX_BINS, Span

LEAST_MS = 2 * BASE_MS
MOST_MS = MAX_BINS * WIDTHS_MS["1d"]
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000))


class Zoom(NamedTuple):
    """A range to go to: its ``from`` and ``to`` as parameters, None where there is nothing further that way."""

    name: str
    meaning: str
    range: tuple[str | int, str | int] | None


def zooms(span: Span, now_ms: int, *, is_live: bool, most_ms: int = MOST_MS) -> list[Zoom]:
    """Half a range earlier or later, half of it, twice of it.

    A range that ends now is halved and doubled at its beginning, so that it goes on ending now; another one about its
    middle. None goes beyond now, which no one can look at, or is shorter than what can be drawn or longer than
    ``most_ms``.
    """
    end_ms = min(span.to_ms, ceil_ms(now_ms, BASE_MS))
    # The range was rounded outward: one that ends now is as long as was asked, not one bin longer.
    length_ms = max(floor_ms(now_ms - span.from_ms, BASE_MS) if is_live else end_ms - span.from_ms, BASE_MS)
    half = floor_ms(max(length_ms // 2, BASE_MS), BASE_MS)
    earlier = (end_ms - length_ms - half, end_ms - half) if span.from_ms >= half else None
    later: tuple[str | int, str | int] | None = None
    if not is_live and end_ms < now_ms:
        ends_now = end_ms + half >= now_ms
        later = _until_now(length_ms) if ends_now else (span.from_ms + half, end_ms + half)
    closer = wider = None
    if length_ms >= 2 * LEAST_MS:
        quarter = floor_ms(length_ms // 4, BASE_MS)
        closer = _until_now(half) if is_live else (span.from_ms + quarter, span.from_ms + quarter + half)
    if 2 * length_ms <= most_ms and span.from_ms >= length_ms:
        wider = _until_now(2 * length_ms) if is_live else _wider(span.from_ms, end_ms, half, now_ms)
    return [
        Zoom("earlier", "half a range earlier", earlier),
        Zoom("later", "half a range later", later),
        Zoom("closer", "half of this range", closer),
        Zoom("wider", "twice this range", wider),
    ]


def _wider(from_ms: int, end_ms: int, half: int, now_ms: int) -> tuple[int, int]:
    end = min(end_ms + half, ceil_ms(now_ms, BASE_MS))
    return end - (end_ms - from_ms + 2 * half), end


def _until_now(length_ms: int) -> tuple[str, str]:
    name, unit = next((name, unit) for name, unit in _UNITS if length_ms % unit == 0)
    return f"now-{length_ms // unit}{name}", "now"
