"""The pages and what each of them asks."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import Field

from pipeline.store.queries.names import names
from pipeline.store.queries.reports import REPORTS_FAILURES
from pipeline.units import count, duration, human, moment, scaled
from pipeline.web import asks
from pipeline.web.access import Role
from pipeline.web.config import Thresholds
from pipeline.web.context import Context
from pipeline.web.pages.charts import HEIGHT, WIDTH, throughput
from pipeline.web.pages.classes import class_of, classes
from pipeline.web.pages.frame import Frame, like
from pipeline.web.pages.grid import METRICS, grid
from pipeline.web.parameters import (
    Common,
    ErrorParameters,
    InFlightParameters,
    MatrixParameters,
    Ranked,
    SeriesParameters,
    SummaryParameters,
)
from pipeline.web.problems import Problem, bad_parameter
from pipeline.web.serving import Server
from pipeline.web.table import Table
from schemas.events import FTS, STAGES

_FOLDER = Path(__file__).parent
_STATIC = ("static", "vendor")
"""Folders of files that are served: ours, and those of others."""
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
WORST = 10


class MatrixPage(MatrixParameters):
    """The matrix page."""

    from_: str = Field("now-6h", alias="from")
    metric: Literal["throughput", "efficiency", "ok", "failed", "volume", "started"] = "throughput"
    layout: Literal["table", "list"] = "table"


class ErrorPage(ErrorParameters):
    """The error page."""

    from_: str = Field("now-6h", alias="from")


class Pages:
    """Templates and static files, read once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.static: dict[str, tuple[str, bytes]] = {}
        addresses = {}
        for path in sorted(path for name in _STATIC for path in (_FOLDER / name).iterdir()):
            if path.suffix not in _TYPES:  # licences, and what pins the files
                continue
            content = path.read_bytes()
            name = f"{path.stem}.{blake2b(content, digest_size=6).hexdigest()}{path.suffix}"
            self.static[name] = (_TYPES[path.suffix], content)
            addresses[path.name] = f"/static/{name}"
        loader = FileSystemLoader(_FOLDER / "templates")
        self._templates = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        limits = server.config.thresholds
        self._templates.globals.update(
            static=addresses,
            classes=classes(limits),
            limits=limits,
            class_of=lambda row: class_of(
                limits, row["ok"], row["failed"], reports=row["technology"] in REPORTS_FAILURES
            ),
            human=human,
            count=count,
            scaled=scaled,
            duration=duration,
            moment=moment,
            chart_size=(WIDTH, HEIGHT),
        )

    def show(self, template: str, **known: Any) -> Response:
        """A page."""
        status = known.get("status", 200)
        text = self._templates.get_template(template).render(**known)
        headers = {"Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Encoding, Authorization"}
        return Response(text, status, headers, "text/html; charset=utf-8")

    def problem(self, problem: Problem, request_id: str) -> Response:
        """What is wrong, as a page with the same text."""
        found = self.show("problem.html", problem=problem.document(request_id), status=problem.status)
        found.headers.update(problem.headers)
        return found


def add(app: FastAPI, server: Server) -> Pages:
    """Adds the pages to the application."""
    pages = Pages(server)
    routes = APIRouter(include_in_schema=False)

    def page(request: Request, asked: Common, template: str, ask: Callable[[Context], dict[str, Any]]) -> Response:
        pairs = request.query_params.multi_items()
        written = [(name, value) for name, value in pairs if value != ""]
        if written != pairs:  # fields of a form that were left empty
            return RedirectResponse(request.url.path + _query(written), 303)
        with server.context(request, asked) as context:
            context.known_tag = None
            frame = Frame(request, context, asked, server.config.stale_s)
            return pages.show(template, frame=frame, **ask(context))

    @routes.get("/")
    def overview(request: Request, asked: Annotated[Common, Query()]) -> Response:
        return page(request, asked, "overview.html", lambda context: _overview(context, asked, server))

    @routes.get("/matrix")
    def matrix(request: Request, asked: Annotated[MatrixPage, Query()]) -> Response:
        return page(request, asked, "matrix.html", lambda context: _matrix(context, asked))

    @routes.get("/links")
    def link(request: Request, asked: Annotated[Common, Query()]) -> Response:
        return page(request, asked, "link.html", lambda context: _link(context, asked))

    @routes.get("/errors")
    def errors(request: Request, asked: Annotated[ErrorPage, Query()]) -> Response:
        return page(request, asked, "errors.html", lambda context: {"errors": asks.errors(context, asked)})

    @routes.get("/transfers/in-flight")
    def in_flight(request: Request, asked: Annotated[InFlightParameters, Query()]) -> Response:
        return page(request, asked, "in_flight.html", lambda context: _in_flight(context, asked))

    @routes.get("/help")
    def explained(request: Request, asked: Annotated[Common, Query()]) -> Response:
        return page(request, asked, "help.html", lambda context: {})

    @routes.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in pages.static:
            raise Problem(404, "there is no such file: load the page again")
        kind, content = pages.static[name]
        return Response(content, 200, {"Cache-Control": "public, max-age=31536000, immutable"}, kind)

    app.include_router(routes)
    return pages


def _overview(context: Context, asked: Common, server: Server) -> dict[str, Any]:
    summary = asks.summary(context, like(asked, SummaryParameters, compare="7d"))
    rows = list(summary.records())
    few = server.config.thresholds.few
    failing = asks.links(context, like(asked, Ranked, sort="-failed", limit=50)).records()
    reporting = like(asked, InFlightParameters, by="fts", limit=1000) if not asked.technology else None
    return {
        "totals": [row for row in rows if row["period"] == "asked"],
        "before": {row["technology"]: row for row in rows if row["period"] == "before"},
        "charts": _charts(context, asked),
        "worst": [row for row in failing if row["failed"] and row["ok"] + row["failed"] >= few][:WORST],
        "busiest": list(asks.links(context, like(asked, Ranked, sort="-bytes_moved", limit=WORST)).records()),
        "errors": asks.errors(context, like(asked, ErrorParameters, limit=5)),
        "waiting": _unpaired(context, reporting),
    }


def _unpaired(context: Context, asked: InFlightParameters | None) -> dict[str, int] | None:
    if asked is None or asked.src or asked.dst:
        return None
    asked = asked.model_copy(update={"from_": "now-7d", "bin": "auto"})
    return {
        name: sum(row["count"] for row in asks.in_flight(context, asked, lost=lost).records())
        for name, lost in (("in flight", False), ("lost", True))
    }


def _charts(context: Context, asked: Common) -> dict[str, Any]:
    """A chart of each technology: one movement of bytes may be told by two of them."""
    series = asks.series(context, like(asked, SeriesParameters, by="vo"))
    assert series.span is not None
    known = names(context.connection, "vo", "", 200)
    rows = list(series.records())
    return {
        technology: throughput(
            [row for row in rows if row["technology"] == technology], "vo", known, series.span, context.now_ms
        )
        for technology in sorted({row["technology"] for row in rows})
    }


def _matrix(context: Context, asked: MatrixPage) -> dict[str, Any]:
    if not asked.technology:
        asked = asked.model_copy(update={"technology": [FTS]})
    if len(asked.technology) > 1 or asked.technology[0].startswith("!"):
        raise bad_parameter("technology", "a matrix is of one technology: name one", ["fts", "xrootd", "xrootd-tpc"])
    query = asked.model_dump(by_alias=True, include=set(MatrixParameters.model_fields))
    table = asks.matrix(context, MatrixParameters.model_validate(query))
    source, destination = f"src_{asked.rows}", f"dst_{asked.cols}"
    rows = sorted(table.records(), key=lambda row: (-row["failed"], str(row[source]), str(row[destination])))
    return {
        "asked": asked,
        "technology": asked.technology[0],
        "rows": rows,
        "ends": (source, destination),
        "grid": grid(rows, source, destination),
        "hidden": table.meta["hidden"],
        "metrics": list(METRICS),
    }


def _link(context: Context, asked: Common) -> dict[str, Any]:
    for side, written in (("src", asked.src), ("dst", asked.dst)):
        if len(written) != 1 or written[0].startswith("!"):
            raise bad_parameter(side, "a link page needs one: /links?src=host:A&dst=host:B")
    stages = asks.stages(context, like(asked, SeriesParameters))
    return {
        "src": asked.src[0],
        "dst": asked.dst[0],
        "totals": list(asks.summary(context, like(asked, SummaryParameters)).records()),
        "charts": _charts(context, asked),
        "vos": list(asks.links(context, like(asked, Ranked, by="vo", limit=50)).records()),
        "stages": [_stages(row) for row in stages.records()],
        "errors": asks.errors(context, like(asked, ErrorParameters, limit=20)),
    }


def _stages(row: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    found = [
        {"name": stage, **{part: row[f"{stage}_{part}"] for part in ("count", "mean", "p50", "p95")}}
        for stage in STAGES
        if row[f"{stage}_count"]
    ]
    return row["technology"], found


def _in_flight(context: Context, asked: InFlightParameters) -> dict[str, Any]:
    if asked.technology:
        raise bad_parameter("technology", "starts are told by fts alone: leave it out")
    counted = asked.model_copy(update={"by": asked.by or "vo,src_host,dst_host"})
    single: Table | None = None
    if context.role >= Role.READER:
        single = asks.in_flight(context, asked.model_copy(update={"by": ""}))
    return {
        "counted": asks.in_flight(context, counted),
        "lost": asks.in_flight(context, counted, lost=True),
        "single": single,
    }


def _class(limits: Thresholds, row: dict[str, Any]) -> str:
    return class_of(limits, row["ok"], row["failed"], reports=row["technology"] in REPORTS_FAILURES)


def _query(pairs: list[tuple[str, str]]) -> str:
    return f"?{urlencode(pairs)}" if pairs else ""
