"""The health page: ``/healthz`` answers 200 or 503 with the state as JSON."""

from __future__ import annotations

import logging
import socket

from aiohttp import web
from mode import Service

from consumers.worker.health import Health

log = logging.getLogger(__name__)


class HealthPage(Service):
    """An HTTP server for one page. Faust's own takes no port 0, which lets many workers of a host need no setting."""

    logger = logging.getLogger("faust.transferscope")

    def __init__(self, health: Health, host: str, port: int) -> None:
        """Takes the address at once; raises OSError when somebody else has it."""
        super().__init__()
        self._health = health
        self._listener = socket.create_server((host, port), family=_family(host))
        site = web.Application()
        site.router.add_get("/healthz", self._answer)
        self._runner = web.AppRunner(site, access_log=None)
        bound, bound_port = self._listener.getsockname()[:2]
        self.address = f"http://{f'[{bound}]' if ':' in bound else bound}:{bound_port}/healthz"

    async def on_start(self) -> None:
        await self._runner.setup()
        await web.SockSite(self._runner, self._listener).start()
        log.info("health page at %s", self.address)

    async def on_stop(self) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        report = self._health.report()
        return web.json_response(report, status=200 if report["healthy"] else 503)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
