"""The log of the fault campaign and its table."""

from __future__ import annotations

from typing import Any

from tests.chaos.campaign import line, table
from tests.chaos.run import Outcome, Played
from tests.chaos.schedule import schedule
from tests.chaos.verdict import Verdict

ORIGIN = {"date": "2026-11-27T16:00:00+00:00", "commit": "abc", "machine": "2 cores", "load": 1.0}
CUT_AND_KILLED = (Played(("kafka-cut", "worker-killed"), 4.0), Played(("kafka-cut",), 6.0))


def logged(outcome: Outcome, seed: int = 1) -> dict[str, Any]:
    return line(schedule(seed), outcome, 0.1, 42.4) | ORIGIN


def row(lines: list[dict[str, Any]], first: str) -> str:
    (found,) = [text for text in table(lines) if text.startswith(f"| {first} |")]
    return found


def test_a_run_is_counted_once_for_each_kind_and_every_recovery_is() -> None:
    lines = [logged(Outcome(CUT_AND_KILLED, Verdict(3000, 0, 0, 0, ()), ""))]
    assert row(lines, "kafka-cut").endswith("| 1 | 3,000 | 0 | 0 | 5.0 | 6.0 |")
    assert row(lines, "worker-killed").endswith("| 1 | 3,000 | 0 | 0 | 4.0 | 4.0 |")
    assert row(lines, "disk-full").endswith("| 0 | 0 | 0 | 0 | – | – |")
    assert "Runs that were not good" not in "\n".join(table(lines))


def test_what_was_not_good_is_told_with_its_seed() -> None:
    lines = [
        logged(Outcome(CUT_AND_KILLED, Verdict(3000, 2, 1, 7, ("…",)), ""), seed=5),
        logged(Outcome((Played(("kafka-cut",), 31.0),), Verdict(3000, 0, 0, 0, ()), ""), seed=6),
        logged(Outcome((), None, "AssertionError: worker ended | with 70\nmore"), seed=7),
    ]
    told = "\n".join(table(lines))
    assert "**3 runs** from 2026-11-27 to 2026-11-27 (days: 1), 0 of them good;" in told
    for seed, what in ((5, "2 lost, 1 doubled, 7 unequal"), (6, "recovery 31.0 s"), (7, r"worker ended \| with 70")):
        (its,) = [text for text in told.splitlines() if f"| {seed} |" in text and text.startswith("| 2026")]
        assert what in its


def test_late_is_not_good_and_neither_is_a_run_without_an_end() -> None:
    good = Verdict(3000, 0, 0, 0, ())
    assert Outcome(CUT_AND_KILLED, good, "").is_good
    assert not Outcome((Played(("kafka-cut",), 30.1),), good, "").is_good
    assert not Outcome(CUT_AND_KILLED, None, "it hung").is_good
    for bad in (good._replace(lost=1), good._replace(doubled=1), good._replace(unequal=1)):
        assert not Outcome(CUT_AND_KILLED, bad, "").is_good
