"""The values of a picture, for a script that draws it anew: no places, no colours, nothing rounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.web.filters import Span

Values = Mapping[int, float | None]
"""Start of a window (ms) -> value; None, or no entry: there is none."""


def plotted(
    kind: str,
    series: Mapping[str, Values],
    span: Span,
    step_ms: int,
    now_ms: int,
    top: float,
    *,
    stacked: bool,
    limit: float | None = None,
) -> dict[str, Any]:
    """``kind`` of the values, range, width of a window and now in ms, the axis's end, (start, value) of each series."""
    return {
        "kind": kind,
        "stacked": stacked,
        "from": span.from_ms,
        "to": span.to_ms,
        "step": step_ms,
        "now": now_ms,
        "top": top,
        "limit": limit,
        "series": [{"name": name, "values": sorted(values.items())} for name, values in series.items()],
    }
