"""All windows of a range as one stream, whatever their number: CSV, XML and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from pipeline.store.queries.answer import Answer, answer, count
from pipeline.store.queries.columns import Column
from pipeline.store.queries.reports import LINKS
from pipeline.web import asks, formats
from pipeline.web.context import Context
from pipeline.web.parameters import ExportParameters
from pipeline.web.schema import xsd
from pipeline.web.serving import CACHE, VARY, Server, meta, reply
from pipeline.web.table import Table

OFFERED = ("csv", "xml", "json")
_MEDIA = {"csv": formats.CSV, "xml": formats.XML, "json": formats.JSON}


COUNT = Column("count", "count")


def schema() -> str:
    """What XML exports look like."""
    return xsd((*LINKS.columns, COUNT))


def export(server: Server, request: Request, asked: ExportParameters) -> Response:
    """The windows, or how many there are of them: both have the same tag while nothing changes."""
    form = formats.chosen(asked.format, request.headers.get("accept"), OFFERED)
    stack = ExitStack()
    try:
        context = stack.enter_context(server.context(request, asked, form))
        question, span = asks.export(context, asked)
        if asked.count:
            with stack:
                number = count(context.connection, question)
                table = Table((COUNT,), [[number]], span, context.meta)
                return reply(request, context, table, asked, form)
        found = answer(context.connection, question)
        stack.enter_context(closing(found.rows))
        about = Table(found.columns, [], span, context.meta)
        lines = _lines(found, context, about, asked, form)
        first = next(lines)  # what is wrong shows before the status is sent
    except BaseException:
        stack.close()
        raise

    def stream() -> Iterator[str]:
        with stack:
            yield first
            yield from lines

    headers = {"Cache-Control": CACHE, "Vary": VARY, "ETag": context.tag or ""}
    return StreamingResponse(stream(), media_type=_MEDIA[form], headers=headers)


def _lines(found: Answer, context: Context, about: Table, asked: ExportParameters, form: str) -> Iterator[str]:
    if form == "csv":
        return formats.csv_lines(found.columns, found.rows, raw=asked.raw)
    if form == "xml":
        return formats.xml_lines(found.columns, found.rows)
    return formats.json_lines(about, found.rows, meta(context, about, asked, None), objects=asked.shape == "objects")
