"""``make bench`` runs every benchmark there is."""

from __future__ import annotations

from pathlib import Path

from pipeline.cli.bench import BENCHES

MAKEFILE = Path(__file__).resolve().parents[3] / "Makefile"


def test_make_runs_all_of_them_in_their_order() -> None:
    (line,) = [line for line in MAKEFILE.read_text().splitlines() if line.startswith("BENCHES :=")]
    assert line.partition(":=")[2].split() == list(BENCHES)
