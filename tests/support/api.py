"""The HTTP API as a test asks it: over a store of its own, at a time of its own, with a token of each role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from fastapi.testclient import TestClient

from pipeline.web.app import create_app
from pipeline.web.config import Rate, WebConfig
from pipeline.web.serving import Server
from tests.support.tokens import reads_and_operates

USUAL = Rate()


class Api:
    """``rows`` and ``problem`` ask below /api/v1 with ``usual`` parameters; tokens are "reads" and "operates"."""

    def __init__(self, client: TestClient, usual: Mapping[str, str]) -> None:
        self.client = client
        self.usual = usual

    def get(self, path: str, token: str = "", /, **asked: Any) -> Any:
        """The reply."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.get(f"/api/v1{path}", params={**self.usual, **asked}, headers=headers)

    def document(self, path: str, token: str = "", /, **asked: Any) -> Any:
        """The document of a reply that must be good, its rows as objects."""
        reply = self.get(path, token, shape="objects", **asked)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def rows(self, path: str, token: str = "", /, **asked: Any) -> list[dict[str, Any]]:
        """The rows of a reply that must be good."""
        found = self.document(path, token, **asked)["rows"]
        assert isinstance(found, list)
        return found

    def problem(self, status: int, path: str, token: str = "", /, **asked: Any) -> dict[str, Any]:
        """The document of a reply that must be this problem."""
        reply = self.get(path, token, **asked)
        assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json"), reply.text
        document = reply.json()
        assert isinstance(document, dict)
        return document


@contextmanager
def api(
    database_url: str, now_ms: int, usual: Mapping[str, str] = MappingProxyType({}), *, rate: Rate = USUAL
) -> Iterator[Api]:
    """The application over that store, as it is seen with two tokens; its clock stands at ``now_ms``."""
    reads_and_operates(database_url)
    config = WebConfig(database_url, timeout_s=10, rate=rate)
    with TestClient(create_app(config, Server(config, clock=lambda: now_ms / 1000))) as client:
        yield Api(client, usual)
