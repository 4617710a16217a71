"""A link: what happens on this pair, and why?"""

from __future__ import annotations

from functools import partial
from typing import Any

from pipeline.web import asks
from pipeline.web.context import Context
from pipeline.web.filters import END_KINDS
from pipeline.web.pages.absent import absent, must_know
from pipeline.web.pages.figures import figures
from pipeline.web.pages.frame import Frame, like
from pipeline.web.parameters import Common, ErrorParameters, Ranked, StagesParameters, SummaryParameters
from pipeline.web.problems import bad_parameter
from schemas.events import STAGES


def link(context: Context, frame: Frame, asked: Common) -> dict[str, Any]:
    """A pair of hosts, sites or countries in one direction; raises Problem 400 for no pair, 404 for unknown ends."""
    for side, written in (("src", asked.src), ("dst", asked.dst)):
        if len(written) != 1 or written[0].startswith("!"):
            raise bad_parameter(side, "a link page needs one: /links?src=host:A&dst=host:B")
        kind, _, name = written[0].partition(":")
        if kind in END_KINDS:
            must_know(context, kind, name, partial(_with_end, frame, side, kind))
    totals = list(asks.summary(context, like(asked, SummaryParameters)).records())
    stages = asks.stages(context, like(asked, StagesParameters))
    return {
        "src": asked.src[0],
        "dst": asked.dst[0],
        "totals": totals,
        "absent": None if totals else absent(context, frame),
        "figures": figures(context, asked),
        "vos": list(asks.links(context, like(asked, Ranked, by="vo", limit=50)).records()),
        "stages": [_stages(row) for row in stages.records()],
        "errors": asks.errors(context, like(asked, ErrorParameters, limit=20)),
    }


def _with_end(frame: Frame, side: str, kind: str, name: str) -> str:
    return frame.here(**{side: f"{kind}:{name}"})


def _stages(row: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    found = [
        {"name": stage, **{part: row[f"{stage}_{part}"] for part in ("count", "mean", "p50", "p95")}}
        for stage in STAGES
        if row[f"{stage}_count"]
    ]
    return row["technology"], found
