"""The values of a picture, for a script that draws it anew: no places, no colours, nothing rounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.web.pages.axis import TimeAxis

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
    limit: float | None = None,
) -> dict[str, Any]:
    """``kind`` of the values, range, width of a window and now in ms, where the axes end and which instants are named,
    (start, value) of each series."""
    return {
        "kind": kind,
        "stacked": stacked,
        "from": axis.from_ms,
        "to": axis.to_ms,
        "step": step_ms,
        "now": now_ms,
        "top": top,
        "ticks": axis.instants(),
        "limit": limit,
        "series": [{"name": name, "values": sorted(values.items())} for name, values in series.items()],
    }
