"""Sites: am I fine, in and out? Traffic inside a site is told apart from both."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pipeline.web import asks
from pipeline.web.context import Context
from pipeline.web.filters import DAY_MS
from pipeline.web.pages.absent import Absent, absent, must_know
from pipeline.web.pages.axis import NARROW
from pipeline.web.pages.figures import Figures, PicturePage, figures
from pipeline.web.pages.frame import Frame, like
from pipeline.web.parameters import Common, ErrorParameters, HostParameters, Ranked, SitesParameters, SummaryParameters
from pipeline.web.problems import bad_parameter
from pipeline.web.table import Table

MOST_SITES = 1000
MOST_PARTNERS = 25
MOST_HOSTS = 1000
PLACED_MS = 2 * DAY_MS
_SCOPE_OF = {"out": ("SOURCE", "DESTINATION"), "in": ("DESTINATION", "SOURCE")}
"""Direction -> the scopes of errors that are the site's own, and its partner's."""


@dataclass
class Direction:
    """``ends`` are the parameters that ask for it; ``whose`` counts failures by ``own``, ``partner``, ``between``."""

    name: str
    ends: dict[str, list[str]]
    totals: list[dict[str, Any]]
    figures: list[Figures]
    partners: list[dict[str, Any]]
    vos: list[dict[str, Any]]
    whose: dict[str, int]
    errors: Table


def address_of(frame: Frame, name: str) -> str:
    """The page of a site."""
    return frame.url(f"/sites/{quote(name, safe='')}")


def sites(context: Context, frame: Frame, asked: Common) -> dict[str, Any]:
    """A row for each technology and site, with what it sent and what it received."""
    found: dict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
    for direction, column in (("out", "src_site"), ("in", "dst_site")):
        table = asks.sites(context, like(asked, SitesParameters, direction=direction, limit=MOST_SITES))
        for row in table.records():
            found[row["technology"], row[column]][direction] = row
    rows = sorted(found.items(), key=lambda each: (-sum(row["bytes_moved"] for row in each[1].values()), each[0]))
    return {"rows": rows, "absent": None if rows else absent(context, frame), "address_of": address_of}


def site(context: Context, frame: Frame, asked: PicturePage, name: str) -> dict[str, Any]:
    """One site; raises Problem 404 with near names for one that nobody knows."""
    for side in ("src", "dst"):
        if getattr(asked, side):
            raise bad_parameter(side, "a site page shows both directions: leave it out, or ask /links")
    must_know(context, "site", name, lambda near: address_of(frame, near))
    here = f"site:{name}"
    local = {"src": [here], "dst": [here]}
    directions = [
        _direction(context, asked, "in", {"src": [f"!{here}"], "dst": [here]}),
        _direction(context, asked, "out", {"src": [here], "dst": [f"!{here}"]}),
    ]
    inside = list(asks.summary(context, like(asked, SummaryParameters, **local)).records())
    nothing: Absent | None = None
    if not inside and not any(each.totals for each in directions):
        nothing = absent(context, frame, *(like(asked, Common, **{side: [here]}) for side in ("src", "dst")))
    return {
        "name": name,
        "directions": directions,
        "local": inside,
        "absent": nothing,
        "hosts": _hosts(context, asked, name),
        "address_of": address_of,
    }


def _direction(context: Context, asked: PicturePage, name: str, ends: dict[str, list[str]]) -> Direction:
    partner = "src_site" if name == "in" else "dst_site"
    narrowed = like(asked, Common, **ends)
    own, other = _SCOPE_OF[name]
    whose = {"own": 0, "partner": 0, "between": 0}
    scopes = asks.errors(context, like(narrowed, ErrorParameters, by="scope", limit=1000))
    for row in scopes.records():
        whose["own" if row["scope"] == own else "partner" if row["scope"] == other else "between"] += row["count"]
    return Direction(
        name=name,
        ends=ends,
        totals=list(asks.summary(context, like(narrowed, SummaryParameters)).records()),
        figures=figures(context, narrowed, asked.hidden, NARROW),
        partners=list(asks.links(context, like(narrowed, Ranked, by=partner, limit=MOST_PARTNERS)).records()),
        vos=list(asks.links(context, like(narrowed, Ranked, by="vo", limit=MOST_PARTNERS)).records()),
        whose=whose,
        errors=asks.errors(context, like(narrowed, ErrorParameters, limit=10)),
    )


def _hosts(context: Context, asked: Common, name: str) -> list[dict[str, Any]]:
    """The hosts of the site by name: what they sent and received, and how they were placed, None where too long ago.

    How hosts were placed is told by single transfers, of which a long range has too many to look at.
    """
    found: dict[str, dict[str, Any]] = {}
    for side in ("src", "dst"):
        question = like(asked, Ranked, by=f"{side}_host", limit=MOST_HOSTS, **{side: [f"site:{name}"]})
        for row in asks.links(context, question).records():
            host = found.setdefault(row[f"{side}_host"], _host())
            host[side] += row["ok"] + row["failed"] + row["aborted"]
    if context.span(asked).length_ms <= PLACED_MS:
        placed = HostParameters.model_validate(
            {"from": asked.from_, "to": asked.to, "site": [name], "limit": MOST_HOSTS}
        )
        for row in asks.topology_hosts(context, placed).records():
            host = found.setdefault(row["host"], _host())
            host["status"] = sorted({*(host["status"] or ()), row["status"]})
            host["since"] = host["since"] or row["since"]
    return [{"host": host, **told} for host, told in sorted(found.items())]


def _host() -> dict[str, Any]:
    return {"src": 0, "dst": 0, "status": None, "since": None}
