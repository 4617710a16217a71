"""``bench readers`` measures what it says, at a small size."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Commands

pytestmark = pytest.mark.stack


def test_the_figures_of_a_small_run_hang_together(tmp_path: Path) -> None:
    asked = ["--messages", 20_000, "--links", 50, "--readers", 3, "--pause", "0.1"]
    said = Commands({}, tmp_path).json("bench", "readers", *asked)
    figures = {figure["name"]: figure["value"] for figure in said["figures"]}
    assert said["settings"]["readers"] == 3
    assert figures["ratio"] == pytest.approx(figures["the worker, with readers"] / figures["the worker alone"])
    assert figures["replies, readers alone"] > 20
    assert figures["replies, with the worker"] > 0
    for who in ("readers alone", "with the worker"):
        assert 0 < figures[f"a reply, {who}: median"] <= figures[f"a reply, {who}: p95"]
