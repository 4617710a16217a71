"""What a process tells over HTTP: ``/healthz``, ``/readyz`` and ``/metrics``, on any free port if need be."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from aiohttp import web

from pipeline.telemetry.telemetry import MEDIA_TYPE, Telemetry

log = logging.getLogger(__name__)

_END_S = 2.0


class Probe(Protocol):
    """What is asked of ``consumers.health.Health``."""

    def report(self) -> Mapping[str, Any]: ...
    def why_not_ready(self) -> str | None: ...
    def measure(self, telemetry: Telemetry) -> None: ...


class Page:
    """An HTTP server in an event loop. The address is taken at once, before anybody can be answered."""

    def __init__(self, health: Probe, telemetry: Telemetry, host: str, port: int) -> None:
        """``port`` 0: a free one. Raises OSError when somebody else has the address."""
        self._health = health
        self._telemetry = telemetry
        telemetry.before_each_scrape(lambda: health.measure(telemetry))
        self._listener = socket.create_server((host, port), family=_family(host))
        site = web.Application()
        site.router.add_get("/healthz", self._healthz)
        site.router.add_get("/readyz", self._readyz)
        site.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(site, access_log=None)
        bound, bound_port = self._listener.getsockname()[:2]
        self.address = f"http://{f'[{bound}]' if ':' in bound else bound}:{bound_port}/healthz"

    async def open(self) -> None:
        """From now on it answers."""
        await self._runner.setup()
        await web.SockSite(self._runner, self._listener).start()
        log.info("health page at %s", self.address)

    async def close(self) -> None:
        """No longer."""
        await self._runner.cleanup()

    async def _healthz(self, request: web.Request) -> web.Response:
        report = self._health.report()
        return web.json_response(report, status=200 if report["healthy"] else 503)

    async def _readyz(self, request: web.Request) -> web.Response:
        why_not = self._health.why_not_ready()
        return web.json_response({"ready": why_not is None, "why": why_not}, status=200 if why_not is None else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=self._telemetry.text(), headers={"Content-Type": MEDIA_TYPE})


@contextmanager
def answering(page: Page) -> Iterator[None]:
    """The page answers, from a thread with an event loop of its own: for processes that have none."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="page", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(page.open(), loop).result()
        yield
    finally:
        asyncio.run_coroutine_threadsafe(page.close(), loop).result(_END_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_END_S)
        loop.close()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
