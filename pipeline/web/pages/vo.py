"""VOs: how does one do, and do they disturb each other on a pair?"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

from pydantic import Field

from pipeline.stages.windows import WIDTHS_MS
from pipeline.web import asks
from pipeline.web.context import Context
from pipeline.web.pages.absent import absent, must_know, need_pair
from pipeline.web.pages.axis import NARROW
from pipeline.web.pages.charts import Chart, throughput
from pipeline.web.pages.figures import PicturePage, figures, known_vos
from pipeline.web.pages.frame import Frame, like
from pipeline.web.pages.lines import Plot, efficiency
from pipeline.web.pages.silence import silences
from pipeline.web.parameters import Common, ErrorParameters, Listed, Ranked, SeriesParameters, SummaryParameters
from pipeline.web.problems import bad_parameter

MOST_VOS = 200
MOST_PAIRS = 30
MOST_COMPARED = 12


class VoPage(PicturePage):
    """Pages of VOs look at a week."""

    from_: str = Field("now-7d", alias="from")


class Side(NamedTuple):
    """What one VO did on a pair, over the same time as the others."""

    technology: str
    vo: str
    moved: Chart
    efficiency: Plot | None


def address_of(frame: Frame, name: str) -> str:
    """The page of a VO."""
    return frame.url(f"/vos/{quote(name, safe='')}", vo=None)


def vos(context: Context, frame: Frame, asked: VoPage) -> dict[str, Any]:
    """All VOs."""
    rows = list(asks.vos(context, like(asked, Listed, limit=MOST_VOS)).records())
    return {"rows": rows, "absent": None if rows else absent(context, frame), "address_of": address_of}


def vo(context: Context, frame: Frame, asked: VoPage, name: str) -> dict[str, Any]:
    """One VO; raises Problem 404 with near names for one that nobody knows."""
    if asked.vo:
        raise bad_parameter("vo", "the address of the page names the VO: leave it out")
    must_know(context, "vo", name, lambda near: address_of(frame, near))
    own = like(asked, Common, vo=[name])
    totals = list(asks.summary(context, like(own, SummaryParameters)).records())
    pairs = asks.links(context, like(own, Ranked, by="src_site,dst_site", limit=MOST_PAIRS))
    met = asks.correlation(context, like(own, Ranked, by="src_site,dst_site", limit=MOST_PAIRS))
    return {
        "name": name,
        "totals": totals,
        "absent": None if totals else absent(context, frame, own),
        "figures": figures(context, own, asked.hidden),
        "pairs": list(pairs.records()),
        "more_pairs": pairs.next_cursor is not None,
        "met": list(met.records()),
        "errors": asks.errors(context, like(own, ErrorParameters, limit=10)),
    }


def pair(context: Context, frame: Frame, asked: VoPage) -> dict[str, Any]:
    """The VOs of one pair beside each other; raises Problem 400 for no pair."""
    need_pair(asked, "VOs are compared on one pair: /vos?src=site:A&dst=site:B")
    rows = list(asks.links(context, like(asked, Ranked, by="vo", limit=MOST_VOS)).records())
    correlation = asks.correlation(context, like(asked, Ranked, limit=MOST_VOS))
    sides = _sides(context, asked)
    return {
        "src": asked.src[0],
        "dst": asked.dst[0],
        "rows": rows,
        "absent": None if rows else absent(context, frame),
        "sides": sides[:MOST_COMPARED],
        "left_out": len(sides) - len(sides[:MOST_COMPARED]),
        "correlation": list(correlation.records()),
        "fewest": correlation.meta["fewest"],
    }


def _sides(context: Context, asked: VoPage) -> list[Side]:
    """A picture for each technology and VO, those that moved most first."""
    series = asks.series(context, like(asked, SeriesParameters, by="vo"))
    assert series.span is not None
    span, now_ms, order = series.span, context.now_ms, known_vos(context)
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in series.records():
        rows.setdefault((row["technology"], str(row["vo"])), []).append(row)
    silent = silences(context, asked, span, sorted({technology for technology, _ in rows}))
    ranked = sorted(rows.items(), key=lambda each: (-sum(row["bytes_moved"] for row in each[1]), each[0]))
    return [
        Side(
            technology,
            name,
            throughput(own, "vo", order, span, now_ms, NARROW, silence=silent[technology], hidden=asked.hidden),
            efficiency(own, span, WIDTHS_MS[span.width], now_ms, NARROW, silence=silent[technology]),
        )
        for (technology, name), own in ranked
    ]
