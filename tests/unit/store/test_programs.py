"""Which tables a program works with, and what it says of others."""

from __future__ import annotations

import pytest

from pipeline.store.programs import Fit


@pytest.mark.parametrize("fit", [Fit("0016", "0016"), Fit("0017", "0016", "0016"), Fit("0019", "0016", "0009")])
def test_its_own_and_newer_ones_that_admit_it_have_no_problem(fit: Fit) -> None:
    assert fit.problem is None
    assert fit.is_newer == (fit.version != "0016")


@pytest.mark.parametrize(
    ("fit", "told"),
    [
        (Fit(None, "0016"), "no tables, this program needs 0016: run transferscope init"),
        (Fit("0009", "0016"), "tables of version 0009, this program needs 0016: run transferscope init"),
        (Fit("0018", "0016", "0017"), "need a program of version 0017 or newer, this one is 0016: start the release"),
        (Fit("0018", "0016"), "need a program of version 0018 or newer"),
    ],
)
def test_others_are_refused_with_what_to_do(fit: Fit, told: str) -> None:
    assert fit.problem is not None
    assert told in fit.problem
