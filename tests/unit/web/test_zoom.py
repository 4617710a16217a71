"""Ranges to which a plot is zoomed and moved without dragging."""

from __future__ import annotations

import pytest

from pipeline.web.filters import DAY_MS, HOUR_MS, Span
from pipeline.web.pages.zoom import MOST_MS, zooms

MINUTE = 60_000
NOW = 20_780 * DAY_MS + 13 * HOUR_MS + 2 * MINUTE
EDGE = NOW + 8 * MINUTE


def found(span: Span, *, is_live: bool = False) -> dict[str, object]:
    return {each.name: each.range for each in zooms(span, NOW, is_live=is_live)}


def test_a_range_in_the_past_moves_by_its_half_and_is_zoomed_about_its_middle() -> None:
    start = NOW - 2 * MINUTE - 10 * DAY_MS
    assert found(Span(start, start + 4 * HOUR_MS, "10m")) == {
        "earlier": (start - 2 * HOUR_MS, start + 2 * HOUR_MS),
        "later": (start + 2 * HOUR_MS, start + 6 * HOUR_MS),
        "closer": (start + HOUR_MS, start + 3 * HOUR_MS),
        "wider": (start - 2 * HOUR_MS, start + 6 * HOUR_MS),
    }


def test_a_range_that_ends_now_goes_on_ending_now() -> None:
    span = Span(EDGE - 24 * HOUR_MS - 10 * MINUTE, EDGE, "10m")
    assert found(span, is_live=True) == {
        "earlier": (EDGE - 36 * HOUR_MS, EDGE - 12 * HOUR_MS),
        "later": None,
        "closer": ("now-12h", "now"),
        "wider": ("now-2d", "now"),
    }


def test_nothing_goes_beyond_now() -> None:
    span = Span(EDGE - 4 * HOUR_MS, EDGE - HOUR_MS, "10m")
    ranges = found(span)
    assert ranges["later"] == ("now-3h", "now")
    assert ranges["wider"] == (EDGE - 6 * HOUR_MS, EDGE)
    future = found(Span(EDGE - 4 * HOUR_MS, EDGE + 9 * HOUR_MS, "10m"))
    assert future["later"] is None
    assert future["earlier"] == (EDGE - 6 * HOUR_MS, EDGE - 2 * HOUR_MS)


@pytest.mark.parametrize("is_live", [True, False])
def test_there_is_an_end_to_both(is_live: bool) -> None:
    assert found(Span(EDGE - 20 * MINUTE, EDGE, "10m"), is_live=is_live)["closer"] is None
    assert found(Span(EDGE - MOST_MS, EDGE, "1d"), is_live=is_live)["wider"] is None
    assert found(Span(0, HOUR_MS, "10m"))["earlier"] is None
