"""Requests as contexts: a connection, a role, a clock; and tables as replies."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

from pipeline.store.columnar.blocks import Blocks
from pipeline.store.queries.instants import to_datetime
from pipeline.store.reading import Readers
from pipeline.store.tokens import Usable, usable
from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry
from pipeline.units import iso
from pipeline.web import formats
from pipeline.web.access import Role, Tokens
from pipeline.web.asks.messages import Lookup
from pipeline.web.callers import Callers
from pipeline.web.config import WebConfig
from pipeline.web.context import Context, start_of
from pipeline.web.limits import Limiter
from pipeline.web.oidc import Issuer
from pipeline.web.problems import Problem, bad_parameter
from pipeline.web.signing import caller_of
from pipeline.web.table import Table

VARY = "Accept, Accept-Encoding, Authorization, Cookie"
CACHE = "private, no-cache"


class Server:
    """What all requests share."""

    def __init__(self, config: WebConfig, lookup: Lookup | None = None, clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self.lookup = lookup
        self.telemetry = Telemetry("web", config.traces_endpoint)
        self.readers = Readers(
            config.database_url, config.connections, config.timeout_s, config.address, self._statement_took
        )
        self.telemetry.before_each_scrape(lambda: self.telemetry.set(metrics.WEB_CONNECTIONS, self.readers.in_use))
        self.blocks = Blocks()
        self.clock = clock
        self.callers = Callers(Tokens(self._tokens, clock), None if config.oidc is None else Issuer(config.oidc))
        self.limiter = Limiter(config.rate)

    def _statement_took(self, seconds: float) -> None:
        self.telemetry.observe(metrics.WEB_STATEMENT, seconds)
        self.telemetry.traces.took("statement", seconds)

    def _tokens(self, used: Collection[int]) -> list[Usable]:
        with self.readers.connection() as connection:
            return usable(connection, used)

    def take(self, request: Request) -> None:
        """Takes a request of somebody who is not known from what his address may ask; raises Problem 429."""
        self.limiter.take(_address(request))

    @contextmanager
    def context(self, request: Request, asked: BaseModel | None = None, flavour: str = "") -> Iterator[Context]:
        """The context of a request; its connection goes back at the end."""
        for name, value in (*request.query_params.multi_items(), *request.path_params.items()):
            if "\0" in value:
                raise bad_parameter(name, "has a NUL, which no name and no text holds")
        # Behind a token that is not known stands an address like any other: guessing must not be free.
        try:
            caller = caller_of(request, self.callers)
        except Problem:
            self.take(request)
            raise
        if caller.role is Role.ANONYMOUS:
            self.take(request)
        else:
            self.limiter.take(f"{caller.via} {caller.name}")
        now_ms = int(self.clock() * 1000)
        if asked is not None:
            now_ms = start_of(asked, now_ms)
        with self.readers.connection() as connection:
            yield Context(
                connection,
                now_ms,
                caller,
                request.headers.get("if-none-match"),
                flavour,
                self.blocks,
                origin=_address(request),
            )


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def reply(request: Request, context: Context, table: Table, asked: Any, form: str) -> Response:
    """A table as JSON, CSV or XML."""
    headers = {"Cache-Control": CACHE, "Vary": VARY}
    if context.tag is not None:
        headers["ETag"] = context.tag
    following = None
    if table.next_cursor is not None:
        pairs = [(key, value) for key, value in request.query_params.multi_items() if key != "cursor"]
        following = f"{request.url.path}?{urlencode([*pairs, ('cursor', table.next_cursor)])}"
        headers["Link"] = f'<{following}>; rel="next"'
    if form == "xml":
        text = "".join(formats.xml_lines(table.columns, table.rows))
        return Response(text, media_type=formats.XML, headers=headers)
    if form == "csv":
        text = "".join(formats.csv_lines(table.columns, table.rows, raw=asked.raw))
        return Response(text, media_type=formats.CSV, headers=headers)
    document = formats.json_document(table, meta(context, table, asked, following), objects=asked.shape == "objects")
    return Response(document, media_type=formats.JSON, headers=headers)


def meta(context: Context, table: Table, asked: Any, following: str | None) -> dict[str, Any]:
    """What JSON says beside the rows."""
    query = asked.model_dump(by_alias=True, exclude_defaults=True, exclude={"cursor", "format", "shape", "raw"})
    if table.span is not None:
        query |= {"from": iso(to_datetime(table.span.from_ms)), "to": iso(to_datetime(table.span.to_ms))}
        query["bin"] = table.span.width
    return {
        "query": query,
        "generated_at": iso(datetime.fromtimestamp(context.now_ms // 1000, UTC)),
        **table.meta,
        "links": {"next": following} if following else {},
    }
