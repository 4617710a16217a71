"""What web tells Prometheus: requests as they end, and how the store is, looked at every half minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.store.queries.health import finals, freshness, open_alerts, topology_in_use
from pipeline.store.reading import Busy, Readers, TooSlow
from pipeline.store.session import Unavailable
from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry
from pipeline.web.config import WebConfig

LOOK_EVERY_S = 30.0
_STATEMENT_S = 5.0
_METHODS = {"GET", "HEAD", "POST", "OPTIONS"}
_WEEK_S = 7 * 86_400
_STORE = tuple(metric for metric in metrics.of("web") if metric.name.startswith("transferscope_store_"))


class Counted:
    """Counts each request by the route that answered it: addresses are without number, patterns are not."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "")
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._telemetry.add(metrics.WEB_REQUESTS, 1, method, route, str(message["status"]))
                self._telemetry.observe(metrics.WEB_REQUEST, time.perf_counter() - began, route)
            await send(message)

        await self._app(scope, receive, counting)


@contextmanager
def looking(config: WebConfig, telemetry: Telemetry) -> Iterator[None]:
    """Looks at the store every half minute, beside the requests: neither waits for the other."""
    stop = threading.Event()
    readers = Readers(config.database_url, 1, _STATEMENT_S)

    def look_again() -> None:
        while True:
            look(readers, telemetry, config.stale_s)
            if stop.wait(LOOK_EVERY_S):
                return

    thread = threading.Thread(target=look_again, name="store look", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_STATEMENT_S)
        readers.close()


def look(readers: Readers, telemetry: Telemetry, stale_s: float) -> None:
    """How the store is now. When it does not answer, all that is known is this."""
    try:
        with readers.connection() as connection:
            sources, alerts = freshness(connection), open_alerts(connection)
            final, topology = finals(connection), topology_in_use(connection)
    except (Unavailable, Busy, TooSlow):
        for metric in _STORE:
            telemetry.forget(metric)
        telemetry.set(metrics.STORE_UP, 0)
        return
    now = time.time()
    received = [source.last_received_at.timestamp() for source in sources if source.last_received_at]
    telemetry.set(metrics.STORE_UP, 1)
    if sources:
        telemetry.set(metrics.STORE_LAST_COMMIT, max(source.last_committed_at.timestamp() for source in sources))
    if received:
        telemetry.set(metrics.STORE_LAST_RECEIVED, max(received))
    telemetry.set(metrics.STORE_SILENT, sum(stale_s < now - at < _WEEK_S for at in received))
    telemetry.set(metrics.STORE_ALERTS, alerts)
    for topic, until in final.items():
        telemetry.set(metrics.STORE_FINAL, until.timestamp(), topic)
    telemetry.set(metrics.STORE_TOPOLOGY, 0 if topology is None else topology.revision)
    if topology is not None:
        telemetry.set(metrics.STORE_TOPOLOGY_CONFIRMED, topology.confirmed_at.timestamp())
