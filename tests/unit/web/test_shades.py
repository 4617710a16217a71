"""Colour by an amount: logarithmic steps with bounds that people can read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.web.pages.shades import SHADES, scale


def test_bounds_are_one_and_three_times_powers_of_ten() -> None:
    found = scale([0, None, 2.0, 20.0, 450.0])
    assert list(found.bounds) == [3, 10, 30, 100, 300]
    assert [found.name(value) for value in (2, 3, 450)] == ["shade0", "shade1", "shade5"]
    assert [found.name(value) for value in (0, None)] == ["none", "none"]
    assert [each.meaning for each in found.legend("count")] == [
        "300 and more",
        "100 to below 300",
        "30 to below 100",
        "10 to below 30",
        "3 to below 10",
        "above 0 to below 3",
    ]


def test_values_that_lie_far_apart_take_powers_of_ten() -> None:
    found = scale([1.0, 5e9])
    assert list(found.bounds) == [1e5, 1e6, 1e7, 1e8, 1e9]
    assert found.legend("rate")[0].meaning == "1.00 GB/s and more"


def test_few_steps_are_the_strong_ones_and_equal_values_have_one_shade() -> None:
    assert [scale([20.0, 40.0]).name(value) for value in (20.0, 40.0)] == ["shade4", "shade5"]
    alike = scale([7.0, 7.0])
    assert alike.name(7.0) == f"shade{SHADES - 1}"
    assert alike.legend("count")[0].meaning == "3 and more"
    assert scale([0, None]).legend("count") == []


@given(st.lists(st.floats(1e-3, 1e20), min_size=1))
def test_more_is_never_weaker_and_every_shade_is_in_the_legend(values: list[float]) -> None:
    found = scale(values)
    ordered = sorted(values)
    names = [found.name(value) for value in ordered]
    assert names == sorted(names)
    assert names[-1] == f"shade{SHADES - 1}"
    legend = [each.name for each in found.legend("bytes")]
    assert legend == sorted(set(legend), reverse=True)
    assert set(names) <= set(legend)
