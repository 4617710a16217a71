"""``/api/v1``: one GET an endpoint; parameters are checked by their models, questions stand in ``asks``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from pipeline.web import asks, exports, formats
from pipeline.web.context import Context
from pipeline.web.parameters import (
    AlertParameters,
    DeadLetterParameters,
    ErrorLinksParameters,
    ErrorParameters,
    ExportParameters,
    Form,
    HostParameters,
    InFlightParameters,
    Listed,
    MatrixParameters,
    NameParameters,
    QualityParameters,
    QueueParameters,
    Ranked,
    SeriesParameters,
    SilenceParameters,
    SitesParameters,
    StagesParameters,
    SummaryParameters,
    TransferParameters,
)
from pipeline.web.problems import MEDIA_TYPE, TITLES, ProblemDocument
from pipeline.web.serving import Server, reply
from pipeline.web.table import Table

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemDocument, "description": TITLES[status], "content": {MEDIA_TYPE: {}}}
    for status in (400, 401, 403, 404, 406, 429, 500, 503, 504)
}
_TABLE: dict[int | str, dict[str, Any]] = {
    200: {"description": "Rows with their columns", "content": {"application/json": {}, "text/csv": {}}},
    304: {"description": "Not changed since the ETag"},
}

_SCHEMA: dict[int | str, dict[str, Any]] = {200: {"content": {formats.XML: {}}}}


def router(server: Server) -> APIRouter:
    """The endpoints over what ``server`` shares."""
    api = APIRouter(prefix="/api/v1", responses={**PROBLEMS, **_TABLE}, default_response_class=Response)

    def told(request: Request, asked: Any, ask: Callable[[Context], Table]) -> Response:
        form = formats.chosen(asked.format, request.headers.get("accept"), ("json", "csv"))
        with server.context(request, asked, form) as context:
            return reply(request, context, ask(context), asked, form)

    @api.get("/summary", summary="Totals of each technology")
    def summary(request: Request, asked: Annotated[SummaryParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.summary(context, asked))

    @api.get("/series", summary="Windows over time")
    def series(request: Request, asked: Annotated[SeriesParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.series(context, asked))

    @api.get("/matrix", summary="Sources and destinations")
    def matrix(request: Request, asked: Annotated[MatrixParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.matrix(context, asked))

    @api.get("/links", summary="Links, most bytes first")
    def links(request: Request, asked: Annotated[Ranked, Query()]) -> Response:
        return told(request, asked, lambda context: asks.links(context, asked))

    @api.get("/links/stages", summary="Where the time is spent")
    def stages(request: Request, asked: Annotated[StagesParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.stages(context, asked))

    @api.get("/channels", summary="Channels of FTS")
    def channels(request: Request, asked: Annotated[Ranked, Query()]) -> Response:
        return told(request, asked, lambda context: asks.channels(context, asked))

    @api.get("/sites", summary="Sites as senders or receivers")
    def sites(request: Request, asked: Annotated[SitesParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.sites(context, asked))

    @api.get("/vos", summary="VOs")
    def vos(request: Request, asked: Annotated[Listed, Query()]) -> Response:
        return told(request, asked, lambda context: asks.vos(context, asked))

    @api.get("/errors", summary="Failures by kind")
    def errors(request: Request, asked: Annotated[ErrorParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.errors(context, asked))

    @api.get("/errors/{error_id}/links", summary="Links that a kind of failure touched")
    def error_links(request: Request, error_id: str, asked: Annotated[Listed, Query()]) -> Response:
        whole = ErrorLinksParameters.model_construct(**dict(asked), id=error_id)
        return told(request, whole, lambda context: asks.error_links(context, whole))

    @api.get("/correlation", summary="VOs beside each other on the same links")
    def correlation(request: Request, asked: Annotated[Ranked, Query()]) -> Response:
        return told(request, asked, lambda context: asks.correlation(context, asked))

    @api.get("/transfers", summary="Finished transfers (reader)")
    def transfers(request: Request, asked: Annotated[TransferParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.transfers(context, asked))

    @api.get("/transfers/in-flight", summary="Starts without a complete (single ones: reader)")
    def in_flight(request: Request, asked: Annotated[InFlightParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.in_flight(context, asked))

    @api.get("/transfers/lost", summary="Starts that waited too long (single ones: reader)")
    def lost(request: Request, asked: Annotated[InFlightParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.in_flight(context, asked, lost=True))

    @api.get("/transfers/{transfer_id:path}/messages", summary="Both messages of each attempt as they came (operator)")
    def messages(request: Request, transfer_id: str, asked: Annotated[Form, Query()]) -> Response:
        return told(request, asked, lambda context: asks.messages(context, transfer_id, server.lookup))

    @api.get("/transfers/{transfer_id:path}", summary="All attempts of one transfer (reader)")
    def transfer(request: Request, transfer_id: str, asked: Annotated[Form, Query()]) -> Response:
        return told(request, asked, lambda context: asks.transfer(context, transfer_id))

    @api.get("/queue-status", summary="Active and ready as FTS says")
    def queue_status(request: Request, asked: Annotated[Listed, Query()]) -> Response:
        return told(request, asked, lambda context: asks.queue_status(context, asked))

    @api.get("/queues", summary="What waits in brokers and in Kafka")
    def queues(request: Request, asked: Annotated[QueueParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.queues(context, asked))

    @api.get("/alerts", summary="What rules found wrong")
    def alerts(request: Request, asked: Annotated[AlertParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.alerts(context, asked))

    @api.get("/silences", summary="Alerts that nobody is told of for a time (operator)")
    def silences(request: Request, asked: Annotated[SilenceParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.listed_silences(context, asked))

    @api.get("/topology/hosts", summary="Where hosts stand")
    def topology_hosts(request: Request, asked: Annotated[HostParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.topology_hosts(context, asked))

    @api.get("/quality", summary="How far the numbers can be trusted")
    def quality(request: Request, asked: Annotated[QualityParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.quality(context, asked))

    @api.get("/freshness", summary="The newest of each source")
    def freshness(request: Request, asked: Annotated[Form, Query()]) -> Response:
        return told(request, asked, lambda context: asks.source_freshness(context, asked))

    @api.get("/dead-letters", summary="Messages that could not be used (operator)")
    def dead_letters(request: Request, asked: Annotated[DeadLetterParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.dead_letters(context, asked))

    @api.get("/names", summary="Names that begin so")
    def names(request: Request, asked: Annotated[NameParameters, Query()]) -> Response:
        return told(request, asked, lambda context: asks.known_names(context, asked))

    @api.get("/export/windows", summary="All link windows of a range, streamed")
    def export(request: Request, asked: Annotated[ExportParameters, Query()]) -> Response:
        return exports.export(server, request, asked)

    @api.get("/schema/windows.xsd", summary="XML Schema of exported windows", responses=_SCHEMA)
    def windows_schema() -> Response:
        return Response(exports.schema(), media_type=formats.XML)

    return api
