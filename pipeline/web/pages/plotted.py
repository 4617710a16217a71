"""The values of a picture, for a script that draws it anew: no places, no colours, nothing rounded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pipeline.web.pages.axis import TimeAxis
from pipeline.web.pages.silence import Silence

Values = Mapping[int, float | None]
"""Start of a window (ms) -> value; None, or no entry: there is none."""


def plotted(
    kind: str,
    series: Mapping[str, Values],
    axis: TimeAxis,
    step_ms: int,
    now_ms: int,
    top: float,
    *,
    stacked: bool,
    across: Mapping[str, float],
    silence: Silence,
    hidden: Collection[str],
) -> dict[str, Any]:
    """What is drawn, times in ms since the epoch.

    ``kind`` of the values, range, width of a window and now, where the axes end and which instants are named, (start,
    value) of each series and whether it is left out, values that lines stand for; the starts of windows in which
    nothing was received for a time (``silent``), and of those of which nothing is known (``unknown``): in bars, another
    window without a value has 0.
    """
    starts = range(axis.from_ms, axis.to_ms, step_ms)
    return {
        "kind": kind,
        "stacked": stacked,
        "from": axis.from_ms,
        "to": axis.to_ms,
        "step": step_ms,
        "now": now_ms,
        "top": top,
        "ticks": axis.instants(),
        "across": dict(across),
        "silent": [start for start in starts if silence.overlaps(start, start + step_ms)],
        "unknown": [start for start in starts if start >= now_ms or silence.hides(start, start + step_ms)],
        "series": [
            {"name": name, "hidden": name in hidden, "values": sorted(values.items())}
            for name, values in series.items()
        ],
    }
