"""Addresses of pages: what each shows stands in a module of its own."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.store.queries.reports import REPORTS_FAILURES
from pipeline.units import count, duration, human, moment, scaled
from pipeline.web.context import Context
from pipeline.web.pages import silencing
from pipeline.web.pages.absent import UnknownName
from pipeline.web.pages.channel import channel, channels
from pipeline.web.pages.classes import class_of, classes
from pipeline.web.pages.errors import ErrorPage, KindPage, errors, kind
from pipeline.web.pages.figures import PicturePage
from pipeline.web.pages.frame import Frame
from pipeline.web.pages.in_flight import in_flight
from pipeline.web.pages.link import LinkPage, link
from pipeline.web.pages.matrix import MatrixPage, matrix
from pipeline.web.pages.overview import overview
from pipeline.web.pages.service import AlertPage, QueuePage, alerts, quality, queues
from pipeline.web.pages.site import site, sites
from pipeline.web.pages.transfers import transfer, transfers
from pipeline.web.pages.vo import VoPage, pair, vo, vos
from pipeline.web.parameters import Common, InFlightParameters, Timed, TransferParameters
from pipeline.web.problems import Problem
from pipeline.web.serving import CACHE, VARY, Server
from pipeline.web.signing import local, sign_in, sign_out, token_in

_FOLDER = Path(__file__).parent
_STATIC = ("static", "vendor")
"""Folders of files that are served: ours, and those of others."""
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


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
        )

    def show(self, template: str, **known: Any) -> Response:
        """A page."""
        status = known.get("status", 200)
        text = self._templates.get_template(template).render(**known)
        headers = {"Cache-Control": CACHE, "Vary": VARY}
        return Response(text, status, headers, "text/html; charset=utf-8")

    def problem(self, problem: Problem, request: Request) -> Response:
        """What is wrong, as a page with the same text."""
        here = local(_shown(request))
        document = problem.document(request.state.request_id)
        near = problem.near if isinstance(problem, UnknownName) else []
        found = self.show("problem.html", problem=document, near=near, here=here, status=problem.status)
        found.headers.update(problem.headers)
        return found


def add(app: FastAPI, server: Server) -> Pages:
    """Adds the pages to the application."""
    pages = Pages(server)
    routes = APIRouter(include_in_schema=False)

    def page(
        request: Request, asked: Timed, template: str, ask: Callable[[Context, Frame], dict[str, Any]]
    ) -> Response:
        pairs = request.query_params.multi_items()
        written = [(name, value) for name, value in pairs if value != ""]
        if written != pairs:  # fields of a form that were left empty
            return RedirectResponse(request.url.path + _query(written), 303)
        with server.context(request, asked) as context:
            context.known_tag = None
            frame = Frame(request, context, asked, server.config.stale_s)
            shown = ask(context, frame)
            return pages.show(template, frame=frame, told=context.meta, **shown)

    @routes.get("/")
    def overview_page(request: Request, asked: Annotated[PicturePage, Query()]) -> Response:
        limits = server.config.thresholds
        return page(request, asked, "overview.html", lambda context, frame: overview(context, frame, asked, limits))

    @routes.get("/matrix")
    def matrix_page(request: Request, asked: Annotated[MatrixPage, Query()]) -> Response:
        limits = server.config.thresholds
        return page(request, asked, "matrix.html", lambda context, frame: matrix(context, frame, asked, limits))

    @routes.get("/links")
    def link_page(request: Request, asked: Annotated[LinkPage, Query()]) -> Response:
        return page(request, asked, "link.html", lambda context, frame: link(context, frame, asked))

    @routes.get("/sites")
    def sites_page(request: Request, asked: Annotated[Common, Query()]) -> Response:
        return page(request, asked, "sites.html", lambda context, frame: sites(context, frame, asked))

    @routes.get("/sites/{name:path}")
    def site_page(request: Request, name: str, asked: Annotated[PicturePage, Query()]) -> Response:
        return page(request, asked, "site.html", lambda context, frame: site(context, frame, asked, name))

    @routes.get("/vos")
    def vos_page(request: Request, asked: Annotated[VoPage, Query()]) -> Response:
        if asked.src or asked.dst:
            return page(request, asked, "pair.html", lambda context, frame: pair(context, frame, asked))
        return page(request, asked, "vos.html", lambda context, frame: vos(context, frame, asked))

    @routes.get("/vos/{name:path}")
    def vo_page(request: Request, name: str, asked: Annotated[VoPage, Query()]) -> Response:
        return page(request, asked, "vo.html", lambda context, frame: vo(context, frame, asked, name))

    @routes.get("/channels")
    def channels_page(request: Request, asked: Annotated[Common, Query()]) -> Response:
        return page(request, asked, "channels.html", lambda context, frame: channels(context, frame, asked))

    @routes.get("/channels/{name:path}")
    def channel_page(request: Request, name: str, asked: Annotated[PicturePage, Query()]) -> Response:
        return page(request, asked, "channel.html", lambda context, frame: channel(context, frame, asked, name))

    @routes.get("/errors")
    def errors_page(request: Request, asked: Annotated[ErrorPage, Query()]) -> Response:
        return page(request, asked, "errors.html", lambda context, _: errors(context, asked))

    @routes.get("/errors/{identity}")
    def kind_page(request: Request, identity: str, asked: Annotated[KindPage, Query()]) -> Response:
        return page(request, asked, "kind.html", lambda context, _: kind(context, asked, identity))

    @routes.get("/transfers")
    def transfers_page(request: Request, asked: Annotated[TransferParameters, Query()]) -> Response:
        return page(request, asked, "transfers.html", lambda context, _: transfers(context, asked))

    @routes.get("/transfers/in-flight")
    def in_flight_page(request: Request, asked: Annotated[InFlightParameters, Query()]) -> Response:
        return page(request, asked, "in_flight.html", lambda context, _: in_flight(context, asked))

    @routes.get("/transfers/{identity:path}")
    def transfer_page(request: Request, identity: str, asked: Annotated[Common, Query()]) -> Response:
        return page(request, asked, "transfer.html", lambda context, _: transfer(context, identity, server.lookup))

    @routes.get("/queues")
    def queues_page(request: Request, asked: Annotated[QueuePage, Query()]) -> Response:
        limit = server.config.backlog_limit
        return page(request, asked, "queues.html", lambda context, frame: queues(context, frame, asked, limit))

    @routes.get("/alerts")
    def alerts_page(request: Request, asked: Annotated[AlertPage, Query()]) -> Response:
        limits = server.config.limits
        return page(request, asked, "alerts.html", lambda context, _: alerts(context, asked, limits))

    silencing.add(routes, server)

    @routes.get("/quality")
    def quality_page(request: Request, asked: Annotated[Timed, Query()]) -> Response:
        return page(request, asked, "quality.html", lambda context, _: quality(context, asked))

    @routes.get("/help")
    def help_page(request: Request, asked: Annotated[Common, Query()]) -> Response:
        return page(request, asked, "help.html", lambda context, _: {})

    @routes.get("/sign-in")
    def sign_in_page(request: Request, next: str = "/") -> Response:
        return pages.show("sign_in.html", here=local(next))

    @routes.post("/sign-in")
    async def sign_in_form(request: Request) -> Response:
        server.take(request)
        token, following = await token_in(request)
        return await run_in_threadpool(sign_in, request, server.callers, token, following)

    @routes.post("/sign-out")
    def sign_out_form() -> Response:
        return sign_out()

    @routes.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in pages.static:
            raise Problem(404, "there is no such file: load the page again")
        kind, content = pages.static[name]
        return Response(content, 200, {"Cache-Control": "public, max-age=31536000, immutable"}, kind)

    app.include_router(routes)
    return pages


def _shown(request: Request) -> str:
    """The address of the page that is asked for, or that sent a form."""
    if request.method == "POST":
        sender = urlsplit(request.headers.get("referer", ""))
        return f"{sender.path}?{sender.query}"
    return request.url.path + _query(request.query_params.multi_items())


def _query(pairs: list[tuple[str, str]]) -> str:
    return f"?{urlencode(pairs)}" if pairs else ""
