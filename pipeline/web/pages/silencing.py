"""Forms of the page of alerts: operators who are signed in give silences and end them."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from pipeline.web import orders
from pipeline.web.bodies import form
from pipeline.web.context import Context
from pipeline.web.orders import Number
from pipeline.web.serving import Server
from pipeline.web.signing import local, need_own_page


def add(routes: APIRouter, server: Server) -> None:
    """Adds the addresses that the forms are sent to; they lead back to the page."""

    async def ordered(request: Request, order: Callable[[Context, dict[str, str]], object]) -> Response:
        need_own_page(request)
        fields = await form(request)
        following = local(fields.pop("next", "/alerts"))

        def obeyed() -> None:
            with server.context(request) as context:
                order(context, fields)

        await run_in_threadpool(obeyed)
        return RedirectResponse(following, 303)

    @routes.post("/alerts/silences")
    async def add_silence(request: Request) -> Response:
        return await ordered(request, orders.add)

    @routes.post("/alerts/silences/{number}/end")
    async def end_silence(request: Request, number: Number) -> Response:
        return await ordered(request, lambda context, _: orders.end(context, number))
