"""Lines over time as paths for an SVG: a step covers its window, and a window without a value is a gap."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline.store.queries.columns import Kind
from pipeline.store.queries.reports import REPORTS_FAILURES
from pipeline.units import human
from pipeline.web.filters import Span
from pipeline.web.pages import marks
from pipeline.web.pages.axis import WIDE, Size, Tick, TimeAxis, from_datetime, round_up, round_up_count
from pipeline.web.pages.plotted import plotted
from pipeline.web.pages.silence import NEVER, Silence

STYLES = 8
"""Styles of lines in the style sheet: a colour and a dash each; further series share the last one."""


class Line(NamedTuple):
    """``paths`` has one for each run of windows without a gap.

    The values are of windows that have ended, None when there is none at all; ``hidden`` says that it is left out.
    """

    name: str
    style: str
    paths: list[str]
    last: float | None
    least: float | None
    largest: float | None
    hidden: bool


@dataclass
class Plot:
    """``levels`` are lines drawn across, ``gaps`` times in which nothing was received; ``data`` is for scripts."""

    size: Size
    kind: Kind
    lines: list[Line]
    y_ticks: list[Tick]
    x_ticks: list[Tick]
    levels: list[marks.Level]
    gaps: list[marks.Band]
    unfinished: marks.Band | None
    data: dict[str, Any]


def plot(
    series: Mapping[str, Mapping[int, float | None]],
    span: Span,
    step_ms: int,
    *,
    kind: Kind,
    now_ms: int,
    top: float | None = None,
    limit: float | None = None,
    size: Size = WIDE,
    silence: Silence = NEVER,
    hidden: Collection[str] = (),
) -> Plot:
    """Series by the start of their windows of ``step_ms`` as lines; ``top`` ends the axis, else the largest does.

    Series that are ``hidden`` keep their style and their row of the legend.
    """
    axis = TimeAxis.of(span, size)
    shown = [each for name, each in series.items() if name not in hidden]
    most = max([limit or 0, *(value for each in shown for value in each.values() if value is not None)])
    end = top if top is not None else (round_up_count if kind == "count" else round_up)(most)

    def height(value: float) -> float:
        return round(size.height - min(value, end) / end * size.height, 2)

    lines = []
    for number, (name, values) in enumerate(series.items()):
        own = [value for at, value in sorted(values.items()) if value is not None and at + step_ms <= now_ms]
        paths = []
        for run in _runs({} if name in hidden else values, step_ms):
            edges = [(axis.place(at), axis.place(min(at + step_ms, max(now_ms, at + 1)))) for at, _ in run]
            paths.append(_path([(*both, height(value)) for both, (_, value) in zip(edges, run, strict=True)]))
        least, largest = (min(own), max(own)) if own else (None, None)
        style = f"l{min(number, STYLES - 1)}"
        lines.append(Line(name, style, paths, own[-1] if own else None, least, largest, name in hidden))
    y_ticks = [Tick(size.height - size.height * part / 4, human(end * part / 4, kind)) for part in range(5)]
    across = {} if limit is None else {"limit": limit}
    return Plot(
        *(size, kind, lines, y_ticks, axis.ticks()),
        marks.levels(across, height, lambda value: human(value, kind)),
        marks.gaps(silence, span, axis),
        marks.unfinished(span, axis, step_ms, now_ms),
        plotted(
            *(kind, series, axis, step_ms, now_ms, end),
            stacked=False,
            across=across,
            silence=silence,
            hidden=hidden,
        ),
    )


def efficiency(
    rows: Iterable[dict[str, Any]],
    span: Span,
    step_ms: int,
    now_ms: int,
    size: Size = WIDE,
    *,
    silence: Silence = NEVER,
) -> Plot | None:
    """Efficiency of rows of ``series`` of one technology, from summed counts; None where none tells failures."""
    counts: dict[int, list[int]] = {}
    for row in rows:
        if row["technology"] in REPORTS_FAILURES:
            sums = counts.setdefault(from_datetime(row["window_start"]), [0, 0])
            sums[0] += row["ok"]
            sums[1] += row["ok"] + row["failed"]
    if not counts:
        return None
    values = {start: ok / finished if finished else None for start, (ok, finished) in counts.items()}
    line = {"efficiency": values}
    return plot(line, span, step_ms, kind="ratio", now_ms=now_ms, top=1, size=size, silence=silence)


def _runs(values: Mapping[int, float | None], step_ms: int) -> Iterable[list[tuple[int, float]]]:
    run: list[tuple[int, float]] = []
    for at, value in sorted(values.items()):
        if run and (value is None or at != run[-1][0] + step_ms):
            yield run
            run = []
        if value is not None:
            run.append((at, value))
    if run:
        yield run


def _path(steps: Iterable[tuple[float, float, float]]) -> str:
    parts: list[str] = []
    for left, right, y in steps:
        parts.append(f"V{y:g}H{right:g}" if parts else f"M{left:g} {y:g}H{right:g}")
    return "".join(parts)
