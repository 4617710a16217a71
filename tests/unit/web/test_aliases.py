"""An ending of a path is a format, but for single things whose names end like one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pipeline.web.aliases import Endings


def seen(path: str, query: str = "") -> tuple[str, str]:
    """Path and query as the application gets them."""
    scopes: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    scope = {"type": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode()}
    asyncio.run(Endings(application)(scope, None, None))  # type: ignore[arg-type]
    return scopes[0]["path"], scopes[0]["query_string"].decode()


@pytest.mark.parametrize(
    ("path", "query", "found"),
    [
        ("/api/v1/links.csv", "", ("/api/v1/links", "format=csv")),
        ("/api/v1/export/windows.xml", "from=now-1h", ("/api/v1/export/windows", "from=now-1h&format=xml")),
        ("/api/v1/links.csv", "format=json", ("/api/v1/links", "format=json")),
        ("/api/v1/transfers/in-flight.csv", "", ("/api/v1/transfers/in-flight", "format=csv")),
        ("/api/v1/transfers/some-file.csv", "", ("/api/v1/transfers/some-file.csv", "")),
        ("/api/v1/schema/windows.xsd", "", ("/api/v1/schema/windows.xsd", "")),
        ("/links.csv", "", ("/links.csv", "")),
    ],
)
def test_endings(path: str, query: str, found: tuple[str, str]) -> None:
    assert seen(path, query) == found
