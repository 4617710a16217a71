"""The pictures that overview, link, site, channel and VO share: what moved, how it ended, how well."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pydantic import BaseModel, Field

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.names import names
from pipeline.web import asks
from pipeline.web.context import Context
from pipeline.web.pages.axis import NARROW, WIDE, Size
from pipeline.web.pages.charts import Chart, outcomes, throughput
from pipeline.web.pages.frame import like
from pipeline.web.pages.lines import Plot, efficiency
from pipeline.web.pages.silence import silences
from pipeline.web.parameters import Common, SeriesParameters

MOST_VOS = 200


class Pictured(BaseModel):
    """How the pictures of a page are looked at: series that they leave out, by name."""

    hidden: list[str] = Field([], max_length=MOST_VOS)


class PicturePage(Pictured, Common):
    """A page with pictures of what was moved."""


@dataclass
class Figures:
    """Of one technology, since one movement of bytes may be told by two of them."""

    technology: str
    moved: Chart
    ended: Chart
    efficiency: Plot | None


def figures(
    context: Context,
    asked: Common,
    hidden: Collection[str],
    size: Size = WIDE,
    target: float | None = None,
) -> list[Figures]:
    """The pictures of each technology that has anything in the range, by VO.

    ``hidden`` are the series left out, ``size`` is that of what moved, ``target`` a rate (B/s) to draw in it.
    """
    series = asks.series(context, like(asked, SeriesParameters, by="vo"))
    assert series.span is not None
    span, now_ms = series.span, context.now_ms
    order = known_vos(context)
    rows = list(series.records())
    found = []
    technologies = sorted({row["technology"] for row in rows})
    silent = silences(context, asked, span, technologies)
    for technology in technologies:
        own = [row for row in rows if row["technology"] == technology]
        silence = silent[technology]
        found.append(
            Figures(
                technology,
                throughput(own, "vo", order, span, now_ms, size, silence=silence, hidden=hidden, target=target),
                outcomes(own, span, now_ms, NARROW, silence=silence, hidden=hidden),
                efficiency(own, span, WIDTHS_MS[span.width], now_ms, NARROW, silence=silence),
            )
        )
    return found


def known_vos(context: Context) -> list[str]:
    """All VOs in the order that fixes their colours."""
    return names(context.connection, "vo", "", MOST_VOS)
