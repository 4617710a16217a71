"""The loop as a service of a Faust app."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from mode import Service

from consumers.worker.health import Health
from consumers.worker.loop import Loop
from pipeline.ingest import garbage

log = logging.getLogger(__name__)

_LINE_EVERY_S = 30.0


class BulkIngest(Service):
    """Runs the loop; ends it in order when the app stops; an error in it is a crash of the app."""

    logger = logging.getLogger("faust.transferscope")

    def __init__(self, make_loop: Callable[[], Loop], health: Health) -> None:
        super().__init__()
        self._make_loop = make_loop
        self._health = health
        self._running: Loop | None = None
        self._ended = asyncio.Event()

    @Service.task
    async def _work(self) -> None:
        self._running = self._make_loop()
        try:
            await self._running.run()
        finally:
            self._ended.set()

    async def on_start(self) -> None:
        garbage.stop_automatic()

    @Service.timer(garbage.EVERY_S)
    async def _collect(self) -> None:
        garbage.collect()

    @Service.timer(_LINE_EVERY_S)
    async def _say(self) -> None:
        log.info("%s", self._health.line())

    async def on_stop(self) -> None:
        if self._running is not None:
            self._running.stop()
            await self._ended.wait()
        log.info("%s", self._health.line())
