"""The pictures that overview, link, site, channel and VO share: what moved, how it ended, how well."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.names import names
from pipeline.web import asks
from pipeline.web.context import Context
from pipeline.web.pages.axis import NARROW, WIDE, Size
from pipeline.web.pages.charts import Chart, outcomes, throughput
from pipeline.web.pages.frame import like
from pipeline.web.pages.lines import Plot, efficiency
from pipeline.web.parameters import Common, SeriesParameters

MOST_VOS = 200


@dataclass
class Figures:
    """Of one technology, since one movement of bytes may be told by two of them."""

    technology: str
    moved: Chart
    ended: Chart
    efficiency: Plot | None


def figures(context: Context, asked: Common, size: Size = WIDE) -> list[Figures]:
    """The pictures of each technology that has anything in the range, by VO; ``size`` is that of what moved."""
    series = asks.series(context, like(asked, SeriesParameters, by="vo"))
    assert series.span is not None
    span, now_ms = series.span, context.now_ms
    order = known_vos(context)
    rows = list(series.records())
    found = []
    for technology in sorted({row["technology"] for row in rows}):
        own = [row for row in rows if row["technology"] == technology]
        found.append(
            Figures(
                technology,
                throughput(own, "vo", order, span, now_ms, size),
                outcomes(own, span, now_ms, NARROW),
                efficiency(own, span, WIDTHS_MS[span.width], now_ms, NARROW),
            )
        )
    return found


def known_vos(context: Context) -> list[str]:
    """All VOs in the order that fixes their colours."""
    return names(context.connection, "vo", "", MOST_VOS)
