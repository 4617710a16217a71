"""Requests counted by route, and the store as web looks at it when it is away."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from starlette.types import Message, Receive, Scope, Send

from pipeline.store.reading import Readers
from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry
from pipeline.web.measures import Counted, look


class Route:
    path = "/links/{id}"


def told(telemetry: Telemetry) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(telemetry.text().decode())
        for sample in family.samples
    }


def ask(telemetry: Telemetry, method: str, route: Route | None, status: int) -> list[Message]:
    """What the caller gets of an application that answers in two messages."""
    sent: list[Message] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = route
        await send({"type": "http.response.start", "status": status})
        await send({"type": "http.response.body", "body": b"x"})

    async def keep(message: Message) -> None:
        sent.append(message)

    async def nothing() -> Message:
        raise AssertionError("nobody reads")

    scope: dict[str, Any] = {"type": "http", "method": method, "path": "/links/7"}
    asyncio.run(Counted(answer, telemetry)(scope, nothing, keep))
    return sent


def test_requests_are_counted_by_the_pattern_of_their_route() -> None:
    telemetry = Telemetry("web")
    for status in (200, 200, 503):
        assert len(ask(telemetry, "GET", Route(), status)) == 2
    found = told(telemetry)
    name = metrics.WEB_REQUESTS.name
    assert (found[name, "GET", Route.path, "200"], found[name, "GET", Route.path, "503"]) == (2, 1)
    assert found["transferscope_web_request_seconds_count", Route.path] == 3


def test_neither_addresses_nor_methods_of_strangers_make_a_series_each() -> None:
    telemetry = Telemetry("web")
    for method in ("BREW", "STEAM"):
        ask(telemetry, method, None, 404)
    assert told(telemetry)[metrics.WEB_REQUESTS.name, "other", "", "404"] == 2


def test_of_a_store_that_is_away_nothing_else_is_known() -> None:
    telemetry = Telemetry("web")
    telemetry.set(metrics.STORE_ALERTS, 3)
    telemetry.set(metrics.STORE_FINAL, 1.0, "fts.transfer")
    look(Readers("postgresql://nobody@127.0.0.1:1/none", 1, 1.0), telemetry, 1200)
    found = told(telemetry)
    assert found[(metrics.STORE_UP.name,)] == 0
    assert math.isnan(found[(metrics.STORE_ALERTS.name,)])
    assert (metrics.STORE_FINAL.name, "fts.transfer") not in found
