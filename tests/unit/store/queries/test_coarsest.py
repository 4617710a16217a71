"""Pieces of a range: together they are the range, as few windows as can be, none wider than may be."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.windows import BASE_MS, WIDTHS_MS
from pipeline.store.queries.coarsest import Piece, pieces

DAY, HOUR, TEN = 86_400_000, 3_600_000, 600_000
NOON = 1_795_305_600_000 - 1_795_305_600_000 % DAY + 12 * HOUR
windows = st.integers(min_value=0, max_value=5 * 144)


def test_a_day_that_ends_now_is_hours_with_windows_of_ten_minutes_at_its_edges() -> None:
    end = NOON + 3 * TEN
    assert pieces(end - DAY, end, "10m") == [
        Piece("10m", end - DAY, NOON + HOUR - DAY),
        Piece("1h", NOON + HOUR - DAY, NOON),
        Piece("10m", NOON, end),
    ]


def test_days_are_taken_where_they_are_whole() -> None:
    midnight = NOON - 12 * HOUR
    assert pieces(midnight - 3 * DAY - HOUR, NOON, "1h") == [
        Piece("1h", midnight - 3 * DAY - HOUR, midnight - 3 * DAY),
        Piece("1d", midnight - 3 * DAY, midnight),
        Piece("1h", midnight, NOON),
    ]


def test_windows_that_are_final_in_part_are_told_by_narrower_ones() -> None:
    midnight = NOON - 12 * HOUR
    assert pieces(midnight, midnight + 2 * DAY, "10m", [NOON + TEN]) == [
        Piece("1h", midnight, NOON),
        Piece("10m", NOON, NOON + HOUR),
        Piece("1h", NOON + HOUR, midnight + DAY),
        Piece("1d", midnight + DAY, midnight + 2 * DAY),
    ]
    assert pieces(midnight, midnight + DAY, "10m", [midnight, midnight + DAY]) == [
        Piece("1d", midnight, midnight + DAY)
    ], "at its edge it does not part a window"


@given(windows, windows, st.sampled_from(list(WIDTHS_MS)), st.lists(windows, max_size=3))
def test_pieces_are_the_range_and_none_could_be_wider(
    first: int, length: int, narrowest: str, held_at: list[int]
) -> None:
    width_ms = WIDTHS_MS[narrowest]
    begin = NOON - first * BASE_MS
    begin -= begin % width_ms
    end = begin + length * width_ms
    held = [NOON - 3 * DAY + each * BASE_MS for each in held_at]
    found = pieces(begin, end, narrowest, held)
    assert [end for *_, end in found[:-1]] == [start for _, start, _ in found[1:]]
    assert (found[0].from_ms, found[-1].to_ms) == (begin, end) if length else found == []
    assert all(one.width != other.width for one, other in pairwise(found))
    for width, start, stop in found:
        assert width_ms <= WIDTHS_MS[width]
        assert start % WIDTHS_MS[width] == stop % WIDTHS_MS[width] == 0
        inside = [instant for instant in held if start < instant < stop and instant % WIDTHS_MS[width]]
        assert width == narrowest or not inside
        for wider in WIDTHS_MS:
            if WIDTHS_MS[wider] > WIDTHS_MS[width]:
                edge = start + -start % WIDTHS_MS[wider]
                while edge + WIDTHS_MS[wider] <= stop:
                    assert any(edge < instant < edge + WIDTHS_MS[wider] for instant in held)
                    edge += WIDTHS_MS[wider]
