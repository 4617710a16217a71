"""What operators order over HTTP: silences. All else is only read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from pipeline.store import silences
from pipeline.store.silences import LONGEST, Silence
from pipeline.units import iso
from pipeline.web.access import Role, require
from pipeline.web.api import PROBLEMS
from pipeline.web.bodies import body, checked
from pipeline.web.context import Context
from pipeline.web.problems import Problem
from pipeline.web.serving import Server
from pipeline.web.signing import need_header

_PLAIN = r"^[^\x00]*$"
_PATTERN = "* stands for any letters."

Number = Annotated[int, Path(ge=1, lt=2**63)]


class SilenceWish(BaseModel):
    """A silence that is asked for: its end and its reason are needed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    rule: str = Field("*", min_length=1, max_length=100, pattern=_PLAIN, description=f"Name of the rule; {_PATTERN}")
    subject: str = Field("*", min_length=1, max_length=1000, pattern=_PLAIN, description=f"Of the alert; {_PATTERN}")
    hours: float = Field(gt=0, le=LONGEST / timedelta(hours=1), description="For how long, from now.")
    reason: str = Field(min_length=1, max_length=1000, pattern=_PLAIN, description="Why, for the others.")


class SilenceDocument(BaseModel):
    """A silence that holds."""

    id: int
    rule: str
    subject: str
    reason: str
    author: str
    created_at: datetime
    ends_at: datetime


def add(context: Context, sent: bytes | Mapping[str, str]) -> Silence:
    """The silence that the caller asks for, by a document or a form. Raises Problem 400, 401, 403; TakesNoWrites."""
    require(context.caller, Role.OPERATOR, all_vos=True)
    wish = checked(SilenceWish, sent)
    ends_at = datetime.now(UTC) + timedelta(hours=wish.hours)
    return silences.add(
        context.connection, context.actor, wish.rule, wish.subject, wish.reason, context.caller.name, ends_at
    )


def end(context: Context, number: int) -> None:
    """Ends a silence now. Raises Problem 401, 403, 404 when none of that number holds; TakesNoWrites."""
    require(context.caller, Role.OPERATOR, all_vos=True)
    if not silences.end(context.connection, context.actor, number):
        raise Problem(404, f"no silence {number} holds: GET /api/v1/silences lists those that do")


_WISH: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": SilenceWish.model_json_schema()}}}
}


def router(server: Server) -> APIRouter:
    """The endpoints over what ``server`` shares. A cookie is not enough here: it comes along with forged requests."""
    api = APIRouter(prefix="/api/v1", responses=PROBLEMS, default_response_class=Response)

    @api.post(
        "/silences",
        status_code=201,
        summary="Keep alerts from being told for a time (operator)",
        responses={201: {"model": SilenceDocument, "description": "It holds"}},
        openapi_extra=_WISH,
    )
    async def add_silence(request: Request) -> Response:
        sent = await body(request)

        def ordered() -> Response:
            with server.context(request) as context:
                need_header(request)
                made = add(context, sent)
            times = {"created_at": iso(made.created_at), "ends_at": iso(made.ends_at)}
            return JSONResponse(made._asdict() | times, 201)

        return await run_in_threadpool(ordered)

    @api.delete("/silences/{number}", status_code=204, summary="End a silence now (operator)")
    def end_silence(request: Request, number: Number) -> Response:
        with server.context(request) as context:
            need_header(request)
            end(context, number)
        return Response(status_code=204)

    return api
