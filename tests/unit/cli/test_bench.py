"""``make bench`` runs every benchmark there is but those that take an hour each."""

from __future__ import annotations

from pathlib import Path

from pipeline.cli.bench import BENCHES

MAKEFILE = Path(__file__).resolve().parents[3] / "Makefile"


ALONE = {"growth", "soak"}


def test_make_runs_the_others_in_their_order() -> None:
    (line,) = [line for line in MAKEFILE.read_text().splitlines() if line.startswith("BENCHES :=")]
    assert line.partition(":=")[2].split() == [name for name in BENCHES if name not in ALONE]
    assert set(BENCHES) > ALONE
