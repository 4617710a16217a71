"""Classes of efficiency: the one place from which cells, legend and help have names, marks and limits."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.web.config import Thresholds


class Class(NamedTuple):
    """``name`` is its CSS class; ``mark`` says in a cell what its colour does."""

    name: str
    mark: str
    meaning: str


def classes(limits: Thresholds) -> dict[str, Class]:
    """All classes, best first."""
    good, fair, poor = (f"{limit * 100:g} %" for limit in (limits.good, limits.fair, limits.poor))
    found = (
        Class("good", "", f"{good} and more"),
        Class("fair", "▂", f"{fair} to below {good}"),
        Class("poor", "▄", f"{poor} to below {fair}"),
        Class("bad", "▆", f"above 0 to below {poor}"),
        Class("dead", "✕", "all failed"),
        Class("none", "", "nothing finished ok or failed (a: only aborted, ▷: only started)"),
        Class("silent", "", "technology that does not report failures"),
    )
    return {each.name: each for each in found}


def class_of(limits: Thresholds, ok: int, failed: int, *, reports: bool = True) -> str:
    """The name of the class of these counts; ``reports`` tells whether the technology reports failures."""
    if not ok and not failed:
        return "none"
    if not reports:
        return "silent"
    if not ok:
        return "dead"
    efficiency = ok / (ok + failed)
    if efficiency >= limits.good:
        return "good"
    if efficiency >= limits.fair:
        return "fair"
    return "poor" if efficiency >= limits.poor else "bad"
