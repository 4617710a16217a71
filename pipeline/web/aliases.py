"""Formats as endings: /api/v1/links.csv is /api/v1/links with format=csv."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

from starlette.types import ASGIApp, Receive, Scope, Send

_BASE = "/api/v1/"
_SINGLE = f"{_BASE}transfers/"
_LISTS = (f"{_SINGLE}in-flight", f"{_SINGLE}lost")
_ENDINGS = {".csv": "csv", ".xml": "xml", ".json": "json"}


class Endings:
    """Takes the ending off the path, unless a format is asked for already or the path is that of a single thing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = _without_ending(scope)
        await self._app(scope, receive, send)


def _without_ending(scope: Scope) -> Scope:
    path: str = scope["path"]
    stem, dot, ending = path.rpartition(".")
    form = _ENDINGS.get(dot + ending)
    # Ids of transfers are paths that may end like this themselves.
    if form is None or not path.startswith(_BASE) or (path.startswith(_SINGLE) and stem not in _LISTS):
        return scope
    query: bytes = scope["query_string"]
    if "format" not in parse_qs(query.decode("latin-1"), keep_blank_values=True):
        query = b"&".join(part for part in (query, urlencode({"format": form}).encode()) if part)
    return {**scope, "path": stem, "raw_path": stem.encode(), "query_string": query}
