"""A link: what happens on this pair, and why?"""

from __future__ import annotations

from functools import partial
from typing import Any

from pydantic import Field

from pipeline.web import asks
from pipeline.web.access import Role
from pipeline.web.context import Context
from pipeline.web.filters import END_KINDS
from pipeline.web.pages.absent import absent, must_know, need_pair
from pipeline.web.pages.figures import PicturePage, figures
from pipeline.web.pages.frame import Frame, like
from pipeline.web.pages.rates import read_rate
from pipeline.web.pages.stages import spent
from pipeline.web.pages.transfers import address_of
from pipeline.web.parameters import Common, ErrorParameters, Ranked, SummaryParameters, TransferParameters

SLOWEST = 20


class LinkPage(PicturePage):
    """The page of a pair."""

    target: str = Field("", max_length=40)


def link(context: Context, frame: Frame, asked: LinkPage) -> dict[str, Any]:
    """A pair of hosts, sites or countries in one direction.

    Raises Problem 400 for no pair or an unreadable target, 404 for unknown ends.
    """
    need_pair(asked, "a link page needs one: /links?src=host:A&dst=host:B")
    for side, written in (("src", asked.src), ("dst", asked.dst)):
        kind, _, name = written[0].partition(":")
        if kind in END_KINDS:
            must_know(context, kind, name, partial(_with_end, frame, side, kind))
    target = read_rate("target", asked.target) if asked.target else None
    totals = list(asks.summary(context, like(asked, SummaryParameters)).records())
    return {
        "src": asked.src[0],
        "dst": asked.dst[0],
        "totals": totals,
        "absent": None if totals else absent(context, frame),
        "figures": figures(context, asked, asked.hidden, target=target),
        "vos": list(asks.links(context, like(asked, Ranked, by="vo", limit=50)).records()),
        "spent": spent(context, asked, asked.hidden),
        "slowest": _slowest(context, asked),
        "address_of": address_of,
        "errors": asks.errors(context, like(asked, ErrorParameters, limit=20)),
    }


def _with_end(frame: Frame, side: str, kind: str, name: str) -> str:
    return frame.here(**{side: f"{kind}:{name}"})


def _slowest(context: Context, asked: Common) -> list[dict[str, Any]] | None:
    """The ok transfers that took longest, for readers; None for others."""
    if context.role < Role.READER:
        return None
    longest = like(asked, TransferParameters, state=["ok"], sort="-total_ms", limit=SLOWEST)
    return [row for row in asks.transfers(context, longest).records() if row["total_ms"] is not None]
