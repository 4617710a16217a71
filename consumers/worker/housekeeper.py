"""The store's housekeeping as a service of the worker: of all workers, one at a time does it."""

from __future__ import annotations

import logging

from mode import Service

from consumers.thread import WorkThread
from pipeline.store.housekeeping import Housekeeper
from pipeline.store.retention import Retention
from pipeline.store.session import Unavailable

log = logging.getLogger(__name__)

EVERY_S = 600.0


class Housekeeping(Service):
    """Runs now and then, in a thread and on a connection of its own: nobody waits for it, not even the end."""

    logger = logging.getLogger("faust.transferscope")

    def __init__(self, database_url: str, kept: Retention) -> None:
        super().__init__()
        self._housekeeper = Housekeeper(database_url, kept)
        self._thread = WorkThread("housekeeper")

    @Service.timer(EVERY_S)
    async def _keep_house(self) -> None:
        try:
            await self._thread.run(self._housekeeper.run)
        except Unavailable as error:
            log.warning("housekeeping is put off: %s", error)
