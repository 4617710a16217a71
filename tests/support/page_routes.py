"""Which pages there are: the application's own routes, and for each an address that a link of another page has."""

from __future__ import annotations

from collections.abc import Iterable
from html.parser import HTMLParser
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import Match

from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server

_NO_PAGES = ("/static/{name}",)


def page_paths(app: FastAPI | None = None) -> list[str]:
    """The paths of all page routes, as templates (``/transfers/{id}``)."""
    config = WebConfig("postgresql://nobody@127.0.0.1:1/none")
    return sorted({route.path for route in _pages((app or create_app(config, Server(config))).routes)})


def crawl(app: FastAPI, client: TestClient, begin: Iterable[str]) -> dict[str, str]:
    """For each page route the first address that links from these addresses reach."""
    waiting = list(begin)
    found: dict[str, str] = {}
    while waiting:
        address = waiting.pop(0)
        path = _route(app, urlsplit(address).path)
        if path is None or path in found:
            continue
        reply = client.get(address)
        assert reply.status_code == 200, f"{address}: {reply.status_code}"
        found[path] = address
        waiting += _Links(reply.text).targets
    return found


class _Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        target = dict(attrs).get("href") if tag == "a" else None
        if target and target.startswith("/"):
            self.targets.append(target.split("#")[0])


def _pages(routes: Iterable[object]) -> Iterable[APIRoute]:
    for route in routes:
        included = getattr(route, "original_router", None)  # how FastAPI holds a router that was included
        if included is not None:
            yield from _pages(included.routes)
        elif (
            isinstance(route, APIRoute)
            and not route.include_in_schema
            and "GET" in (route.methods or ())
            and route.path not in _NO_PAGES
        ):
            yield route


def _route(app: FastAPI, path: str) -> str | None:
    scope = {"type": "http", "path": path, "method": "GET", "root_path": "", "headers": []}
    for route in _pages(app.routes):
        if route.matches(scope)[0] is Match.FULL:
            return route.path
    return None
