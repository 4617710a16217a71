"""The scale of the histograms: exact edges, no gaps, a bin at most 1/8 as wide as its edge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import STAGES
from schemas.histogram import BINS_PER_MEASURE, bin_of, lower_edge

HIGHEST = 2**63 - 1
VALUES = st.integers(min_value=0, max_value=HIGHEST)
BINS = st.integers(min_value=0, max_value=487)


@pytest.mark.parametrize(
    ("value", "bin_number"),
    [
        (0, 0),
        (7, 7),
        (8, 8),
        (15, 15),
        (16, 16),
        (17, 16),
        (18, 17),
        (31, 23),
        (32, 24),
        (1000, 63),
        (60_000, 110),
        (HIGHEST, 487),
    ],
)
def test_known_bins(value: int, bin_number: int) -> None:
    assert bin_of(value) == bin_number


@given(VALUES)
def test_a_value_lies_between_the_edges_of_its_bin(value: int) -> None:
    assert lower_edge(bin_of(value)) <= value < lower_edge(bin_of(value) + 1)


@given(BINS)
def test_an_edge_belongs_to_the_bin_that_it_begins(bin_number: int) -> None:
    edge = lower_edge(bin_number)
    assert bin_of(edge) == bin_number
    if bin_number:
        assert bin_of(edge - 1) == bin_number - 1


@given(st.integers(min_value=8, max_value=487))
def test_a_bin_is_at_most_an_eighth_as_wide_as_its_lower_edge(bin_number: int) -> None:
    edge, following = lower_edge(bin_number), lower_edge(bin_number + 1)
    assert 0 < following - edge <= edge / 8


@given(VALUES, VALUES)
def test_bins_rise_with_values(a: int, b: int) -> None:
    assert (bin_of(a) <= bin_of(b)) or a > b


def test_every_bin_of_every_stage_has_a_code_of_its_own() -> None:
    assert bin_of(HIGHEST) < BINS_PER_MEASURE
    codes = {
        stage * BINS_PER_MEASURE + bin_number
        for stage in range(len(STAGES))
        for bin_number in range(bin_of(HIGHEST) + 1)
    }
    assert len(codes) == len(STAGES) * 488
