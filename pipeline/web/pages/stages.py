"""Where the time of ok transfers is spent: each stage by itself, since they overlap."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.columns import Kind
from pipeline.store.queries.reports import stage_kind
from pipeline.web import asks
from pipeline.web.context import Context
from pipeline.web.pages.axis import NARROW, from_datetime
from pipeline.web.pages.frame import like
from pipeline.web.pages.lines import Plot, plot
from pipeline.web.pages.silence import silences
from pipeline.web.parameters import Common, StagesParameters
from schemas.events import STAGES

NAMES = {
    "streaming": "streaming",
    "total": "whole attempt",
    "srm_prep": "SRM preparation",
    "srm_fin": "SRM finalisation",
    "checksum_src": "source checksum",
    "checksum_dst": "destination checksum",
    "throughput": "throughput of a transfer",
}
LINES = {"p50": "median", "p90": "90 % below", "p99": "99 % below"}
_PERCENTILES = ",".join(name.removeprefix("p") for name in LINES)


@dataclass
class Stage:
    """``values`` over the whole range: count, mean and the percentiles of LINES; ``picture`` has these of each bin."""

    name: str
    kind: Kind
    values: dict[str, Any]
    picture: Plot


@dataclass
class Spent:
    """The stages that a technology told of; one that it did not is absent."""

    technology: str
    stages: list[Stage] = field(default_factory=list)


def spent(context: Context, asked: Common, hidden: Collection[str]) -> list[Spent]:
    """Of each technology that tells of stages in the range; ``hidden`` lines are left out."""
    whole = asks.stages(context, like(asked, StagesParameters, p=_PERCENTILES))
    binned = asks.stages(context, like(asked, StagesParameters, by="window_start,technology", p=_PERCENTILES))
    assert binned.span is not None
    step_ms = WIDTHS_MS[binned.span.width]
    bins = list(binned.records())
    found = []
    told = list(whole.records())
    silent = silences(context, asked, binned.span, [row["technology"] for row in told])
    for row in told:
        each = Spent(row["technology"])
        own = [one for one in bins if one["technology"] == each.technology]
        for stage in (name for name in STAGES if row[f"{name}_count"]):
            lines = {
                label: {from_datetime(one["window_start"]): one[f"{stage}_{part}"] for one in own}
                for part, label in LINES.items()
            }
            kind = stage_kind(stage)
            picture = plot(
                *(lines, binned.span, step_ms),
                kind=kind,
                now_ms=context.now_ms,
                size=NARROW,
                silence=silent[each.technology],
                hidden=hidden,
            )
            values = {part: row[f"{stage}_{part}"] for part in ("count", "mean", *LINES)}
            each.stages.append(Stage(NAMES[stage], kind, values, picture))
        if each.stages:
            found.append(each)
    return found
