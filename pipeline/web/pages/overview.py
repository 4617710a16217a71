"""The overview: is data moving, what is new?"""

from __future__ import annotations

from typing import Any

from pipeline.web import asks
from pipeline.web.config import Thresholds
from pipeline.web.context import Context
from pipeline.web.pages.absent import absent
from pipeline.web.pages.figures import PicturePage, figures
from pipeline.web.pages.frame import Frame, like
from pipeline.web.parameters import ErrorParameters, InFlightParameters, Ranked, SummaryParameters

WORST = 10


def overview(context: Context, frame: Frame, asked: PicturePage, limits: Thresholds) -> dict[str, Any]:
    """Totals beside those of a week before, pictures, links with most failures and most bytes, causes."""
    rows = list(asks.summary(context, like(asked, SummaryParameters, compare="7d")).records())
    failing = asks.links(context, like(asked, Ranked, sort="-failed", limit=50)).records()
    reporting = like(asked, InFlightParameters, by="lost", limit=2) if not asked.technology else None
    totals = [row for row in rows if row["period"] == "asked"]
    return {
        "totals": totals,
        "absent": None if totals else absent(context, frame),
        "before": {row["technology"]: row for row in rows if row["period"] == "before"},
        "figures": figures(context, asked, asked.hidden),
        "worst": [row for row in failing if row["failed"] and row["ok"] + row["failed"] >= limits.few][:WORST],
        "busiest": list(asks.links(context, like(asked, Ranked, sort="-bytes_moved", limit=WORST)).records()),
        "errors": asks.errors(context, like(asked, ErrorParameters, limit=5)),
        "waiting": _unpaired(context, reporting),
    }


def _unpaired(context: Context, asked: InFlightParameters | None) -> dict[str, int] | None:
    if asked is None or asked.src or asked.dst:
        return None
    asked = asked.model_copy(update={"from_": "now-7d", "to": "now", "bin": "auto"})
    counted = {row["lost"]: row["count"] for row in asks.in_flight(context, asked, lost=None).records()}
    return {"in flight": counted.get(False, 0), "lost": counted.get(True, 0)}
