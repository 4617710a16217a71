"""Sparklines: heights keep the order of the values, and what is unknown stays a gap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.spark import ASCII, BLOCKS, GAP, heights_for, sparkline
from pipeline.cli.terminal import safe

NUMBERS = st.integers(-(2**63), 2**63) | st.floats(-1e18, 1e18)
VALUES = st.lists(st.none() | NUMBERS, max_size=80)
HEIGHTS = st.sampled_from([BLOCKS, ASCII])


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], ""),
        ([None, None], "  "),
        ([0, 0, 0], "▁▁▁"),
        ([5, 5], "██"),
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([7, None, 0], "█ ▁"),
        ([0, 1, 1000], "▁▂█"),  # one is not none
        ([-7, 0], "▁█"),
    ],
)
def test_lines(values: list[float | None], line: str) -> None:
    assert sparkline(values) == line


def test_a_fixed_top_keeps_lines_of_ratios_comparable() -> None:
    assert sparkline([0.5, 0.5], 1.0) == "▅▅"
    assert sparkline([1.0, 2.0], 1.0) == "██"
    assert sparkline([1.0], 5e-324) == "█"


@given(VALUES, HEIGHTS)
def test_every_value_has_one_character_and_only_unknown_ones_are_gaps(values: list[float | None], heights: str) -> None:
    line = sparkline(values, heights=heights)
    assert [character == GAP for character in line] == [value is None for value in values]
    assert set(line) <= set(heights) | {GAP}


@given(VALUES, st.none() | st.floats(0, 1e18), HEIGHTS)
def test_a_larger_value_is_never_lower(values: list[float | None], top: float | None, heights: str) -> None:
    line = sparkline(values, top, heights)
    drawn = sorted(
        (value, heights.index(character)) for value, character in zip(values, line, strict=True) if value is not None
    )
    assert [height for _, height in drawn] == sorted(height for _, height in drawn)


@given(st.lists(st.integers(0, 2**63), min_size=1, max_size=80))
def test_the_largest_reaches_the_top_and_only_zero_lies_at_the_bottom(values: list[int]) -> None:
    line = sparkline(values)
    for value, character in zip(values, line, strict=True):
        assert (character == BLOCKS[0]) == (value == 0)
        if value == max(values) > 0:
            assert character == BLOCKS[-1]


@given(NUMBERS, st.integers(1, 80))
def test_equal_values_are_of_equal_height(value: float, number: int) -> None:
    assert len(set(sparkline([value] * number))) == 1


@pytest.mark.parametrize(
    ("encoding", "heights"),
    [("utf-8", BLOCKS), ("UTF-16", BLOCKS), ("cp437", ASCII), ("latin-1", ASCII), (None, ASCII), ("no such", ASCII)],
)
def test_an_encoding_without_blocks_gets_ascii(encoding: str | None, heights: str) -> None:
    assert heights_for(encoding) == heights
    assert len(ASCII) == len(BLOCKS) == len(set(BLOCKS)) == len(set(ASCII))


def test_cleaning_leaves_a_line_as_it_is() -> None:
    assert safe(BLOCKS + GAP + ASCII) == BLOCKS + GAP + ASCII
