"""The matrix of sources and destinations: where is it bad?"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from pipeline.web import asks
from pipeline.web.config import Thresholds
from pipeline.web.context import Context
from pipeline.web.pages.absent import absent
from pipeline.web.pages.cells import METRICS
from pipeline.web.pages.compact import compact
from pipeline.web.pages.frame import Frame
from pipeline.web.pages.grid import grid
from pipeline.web.pages.looks import Looks
from pipeline.web.pages.pair_list import Sort, pair_list
from pipeline.web.pages.sides import Head, Order, side
from pipeline.web.pages.site import address_of
from pipeline.web.parameters import MatrixParameters, Several
from pipeline.web.problems import bad_parameter
from schemas.events import FTS

Metric = Literal["throughput", "efficiency", "ok", "failed", "volume", "started"]
TOPS = (20, 60, 200, 1000)
_OWN = ("open_src", "open_dst", "order_src", "order_dst", "sort", "page", "colour")
"""Parameters that the data behind the page do not have."""


class MatrixPage(MatrixParameters):
    """The matrix page."""

    from_: str = Field("now-6h", alias="from")
    metric: Metric = "throughput"
    colour: Metric = "efficiency"
    layout: Literal["table", "list"] = "table"
    open_src: Several = Field([])
    open_dst: Several = Field([])
    order_src: Order = "name"
    order_dst: Order = "name"
    sort: Sort = "-failed"
    page: int = Field(1, ge=1)


def matrix(context: Context, frame: Frame, asked: MatrixPage, limits: Thresholds) -> dict[str, Any]:
    """The cells of one technology, as a grid and as a list."""
    technology = _technology(asked)
    sources = side("src", asked.rows, asked.open_src, asked.order_src, asked.top)
    destinations = side("dst", asked.cols, asked.open_dst, asked.order_dst, asked.top)
    down, across = (destinations, sources) if asked.transpose else (sources, destinations)
    query = asked.model_dump(by_alias=True, include=set(MatrixParameters.model_fields)) | {"technology": [technology]}
    table = asks.pairs(context, MatrixParameters.model_validate(query), down.columns, across.columns)
    found = grid(table.records(), down, across, asked.min_n)
    looks = Looks(found, asked.colour, limits)
    is_list = asked.layout == "list" or found.is_large
    return {
        "asked": asked,
        "technology": technology,
        "absent": None if table.rows else absent(context, frame),
        "grid": found,
        "looks": looks,
        "toggle": lambda head, param: _toggle(frame, asked, head, param),
        "listed": pair_list(found, technology, asked.sort, asked.page) if is_list else None,
        "numbers": compact(found, looks, _addresses(frame, technology)) if asked.layout == "table" else None,
        "site_page": lambda name: address_of(frame, name),
        "metrics": list(METRICS),
        "orders": ("name", "volume", "failed", "efficiency"),
        "tops": TOPS,
        "own": dict.fromkeys(_OWN),
    }


def _technology(asked: MatrixPage) -> str:
    if not asked.technology:
        return FTS
    if len(asked.technology) > 1 or asked.technology[0].startswith("!"):
        raise bad_parameter("technology", "a matrix is of one technology: name one", ["fts", "xrootd", "xrootd-tpc"])
    return asked.technology[0]


def _toggle(frame: Frame, asked: MatrixPage, head: Head, param: str) -> str:
    """This page with a group opened, or closed."""
    opened = asked.open_src if param == "src" else asked.open_dst
    rest = [written for written in opened if written != head.end]
    return frame.here(**{f"open_{param}": rest if head.is_open else [*rest, head.end], "page": None})


def _addresses(frame: Frame, technology: str) -> dict[str, str]:
    """Where cells lead, but for their ends, which scripts add."""
    return {
        "link": frame.url("/links", technology=technology),
        "site": address_of(frame, ""),
        "all": frame.url("/", technology=technology),
    }
