"""The application: API, pages, health, and what every reply carries."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from pipeline.store.queries.errors import BadQuery
from pipeline.store.reading import Busy, TooSlow
from pipeline.store.session import TakesNoWrites, Unavailable
from pipeline.telemetry.telemetry import MEDIA_TYPE
from pipeline.telemetry.traces import REQUEST, Traces
from pipeline.web import api, orders
from pipeline.web.aliases import Endings
from pipeline.web.config import WebConfig
from pipeline.web.context import NotModified
from pipeline.web.measures import Counted
from pipeline.web.pages import routes
from pipeline.web.pages.routes import Pages
from pipeline.web.problems import MEDIA_TYPE as PROBLEM
from pipeline.web.problems import Problem, invalid
from pipeline.web.serving import CACHE, VARY, Server

LOG = logging.getLogger(__name__)

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def create_app(config: WebConfig, server: Server | None = None) -> FastAPI:
    """The application; raises OSError when a file of authorities cannot be read."""
    shared = server or Server(config)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        shared.readers.close()

    app = FastAPI(
        title="transferscope",
        version=version("transferscope"),
        lifespan=life,
        docs_url=None,  # their pages load scripts from another host
        redoc_url=None,
        telemetry={
            "tracing": shared.telemetry.traces.is_on,
            "tracer_provider": shared.telemetry.traces.provider,
            "operation_spans": False,
            "metrics": False,
            "logs": False,
        },
    )
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.include_router(api.router(shared))
    app.include_router(orders.router(shared))
    pages = routes.add(app, shared)
    _health(app, shared)
    _every_reply(app, shared.telemetry.traces)
    app.add_middleware(Counted, telemetry=shared.telemetry)
    app.add_middleware(Endings)
    _wrong(app, pages)
    _describe(app)
    return app


def _health(app: FastAPI, server: Server) -> None:
    @app.get("/healthz", summary="The process answers")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="The database answers too", responses={503: api.PROBLEMS[503]})
    def readyz() -> dict[str, str]:
        with server.readers.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return {"status": "ready"}

    @app.get("/metrics", summary="What the process counts, for Prometheus", response_class=PlainTextResponse)
    def tell() -> Response:
        return Response(server.telemetry.text(), headers={"Content-Type": MEDIA_TYPE})


def _every_reply(app: FastAPI, traces: Traces) -> None:
    @app.middleware("http")
    async def headers(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.request_id = secrets.token_hex(8)
        traces.note({REQUEST: request.state.request_id})
        try:
            response = await call(request)
        except Exception:
            LOG.exception("request %s: %s", request.state.request_id, request.url.path)
            response = told(request, Problem(500, "this is a bug: please report it with the request id"))
        response.headers.update(SECURITY)
        if request.url.scheme == "https":
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        response.headers["X-Request-ID"] = request.state.request_id
        return response


def told(request: Request, problem: Problem) -> Response:
    """The problem as a document."""
    document = problem.document(request.state.request_id)
    return JSONResponse(document, problem.status, problem.headers, PROBLEM)


def as_problem(request: Request, error: Exception) -> Problem:
    """What an error means for the caller."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, BadQuery):
        return Problem(400, str(error))
    if isinstance(error, TooSlow):
        return Problem(504, "the database needed too long: ask for a shorter range, wider bins or fewer groups")
    if isinstance(error, Busy):
        return Problem(503, "all connections to the database are in use: try again", headers={"Retry-After": "5"})
    if isinstance(error, Unavailable):
        LOG.warning("request %s: %s", request.state.request_id, error)
        service = "the database" if error.service == "PostgreSQL" else error.service
        return Problem(503, f"{service} cannot be reached: try again", headers={"Retry-After": "10"})
    if isinstance(error, TakesNoWrites):
        return Problem(503, "the database behind this address takes no writes: ask a server that reads the primary")
    if isinstance(error, RequestValidationError):
        # The first place says only where: query or path.
        return invalid(({**each, "loc": each["loc"][1:]} for each in error.errors()), _known(request))
    assert isinstance(error, HTTPException)
    sentence = "there is nothing at this address: see /help" if error.status_code == 404 else str(error.detail)
    return Problem(error.status_code, sentence, headers=error.headers)


def _wrong(app: FastAPI, pages: Pages) -> None:
    async def problem(request: Request, error: Exception) -> Response:
        found = as_problem(request, error)
        if not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", ""):
            return pages.problem(found, request)
        return told(request, found)

    for kind in (Problem, BadQuery, TooSlow, Busy, Unavailable, TakesNoWrites, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, problem)

    @app.exception_handler(NotModified)
    async def unchanged(_: Request, error: NotModified) -> Response:
        return Response(status_code=304, headers={"ETag": error.tag, "Cache-Control": CACHE, "Vary": VARY})


def _known(request: Request) -> list[str]:
    """The parameters of the endpoint that was asked."""
    known: list[str] = []
    for field in request.scope["route"].dependant.query_params:
        for name, own in field.field_info.annotation.model_fields.items():
            known.append(own.alias or name)
    return known


def _describe(app: FastAPI) -> None:
    """OpenAPI as the code made it, less the reply of the framework that ours takes the place of."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]
