"""The page of a process that Faust hosts."""

from __future__ import annotations

import logging

from mode import Service

from consumers.page import Page, Probe
from pipeline.telemetry.telemetry import Telemetry


class HealthPage(Service):
    """In the place of Faust's own web server, which takes no port 0: so many workers of a host need no setting."""

    logger = logging.getLogger("faust.transferscope")

    def __init__(self, health: Probe, telemetry: Telemetry, host: str, port: int) -> None:
        """Takes the address at once; raises OSError when somebody else has it."""
        super().__init__()
        self._page = Page(health, telemetry, host, port)
        self.address = self._page.address

    async def on_start(self) -> None:
        await self._page.open()

    async def on_stop(self) -> None:
        await self._page.close()
