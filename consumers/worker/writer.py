"""Batches into Postgres, one after the other in one thread, again and again while Postgres is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from consumers.thread import WorkThread
from consumers.worker.backoff import Backoff
from consumers.worker.health import Health
from pipeline.ingest import BatchResult
from pipeline.stages.enrich import Enriched
from pipeline.store.session import Unavailable
from schemas.envelope import RawMessage

T = TypeVar("T")

POSTGRES = "PostgreSQL"
_REFRESH_S = 1.0


class Core(Protocol):
    """What is used of ``pipeline.ingest.Ingest``."""

    def refresh(self) -> None: ...
    def prepare(self, messages: Sequence[RawMessage]) -> Enriched: ...
    def commit(self, messages: Sequence[RawMessage], batch: Enriched) -> BatchResult: ...
    def close(self) -> None: ...


class Writer:
    """The only user of the core's connection: all that touches it happens in one thread."""

    def __init__(self, core: Core, health: Health) -> None:
        self._core = core
        self._health = health
        self._thread = WorkThread("store")
        self._refreshed_at = float("-inf")
        self._stopping = asyncio.Event()

    async def refresh(self) -> None:
        """Take up a newer topology and raw floor, at most once a second. Waits while Postgres is away."""
        await self._insist(self._refresh)

    def prepare(self, messages: Sequence[RawMessage]) -> Enriched:
        """Decode and enrich; no I/O."""
        return self._core.prepare(messages)

    async def commit(self, messages: Sequence[RawMessage], batch: Enriched) -> BatchResult:
        """Returns when the batch is in Postgres. Raises Unavailable when it is away and we were told to stop."""

        def call() -> BatchResult:
            self._refresh()
            return self._core.commit(messages, batch)

        return await self._insist(call)

    def stop(self) -> None:
        """Give up on a Postgres that is away."""
        self._stopping.set()

    def close(self) -> None:
        """Give the connection back after what is under way."""
        self._thread.close(self._core.close)

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._refreshed_at >= _REFRESH_S:
            self._core.refresh()
            self._refreshed_at = now

    async def _insist(self, call: Callable[[], T]) -> T:
        backoff = Backoff()
        while True:
            try:
                result = await self._thread.run(call)
            except Unavailable as error:
                self._health.trouble(POSTGRES, str(error))
                if self._stopping.is_set():
                    raise
                await self._pause(backoff.next_s())
            else:
                self._health.well(POSTGRES)
                return result

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass
