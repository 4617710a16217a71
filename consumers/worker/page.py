"""The health page: ``/healthz`` answers 200 or 503 with the state as JSON."""

from __future__ import annotations

import logging

from aiohttp import web
from mode import Service

from consumers.worker.health import Health

log = logging.getLogger(__name__)


class HealthPage(Service):
    """An HTTP server for one page. Faust's own takes no port 0, which lets many workers of a host need no setting."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        super().__init__()
        self._health = health
        self._place = (host, port)
        site = web.Application()
        site.router.add_get("/healthz", self._answer)
        self._runner = web.AppRunner(site, access_log=None)

    async def on_start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, *self._place).start()
        host, port = self._runner.addresses[0][:2]
        log.info("health page at http://%s:%d/healthz", host, port)

    async def on_stop(self) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        report = self._health.report()
        return web.json_response(report, status=200 if report["healthy"] else 503)
