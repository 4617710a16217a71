"""Read, decode, commit: the next batch is read and decoded while Postgres takes the one before.

Order and safety: batches are committed in the order in which they were read; the ledger learns of a batch after its
commit in Postgres, Kafka learns of the ledger about once a second. So an offset in Kafka never runs ahead of the store,
and a death anywhere makes at most the last batches come again, which the store recognises. Batches of partitions that
were taken away meanwhile are committed all the same, for the same reason.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Protocol

from consumers.kafka.access import KafkaAway
from consumers.kafka.consumer import Chunk, Partition
from consumers.kafka.gather import Limits
from consumers.kafka.records import batch_of
from consumers.worker.backoff import Backoff
from consumers.worker.health import Health
from consumers.worker.ledger import Ledger
from consumers.worker.measures import Measures
from consumers.worker.writer import Writer
from pipeline.batches import batches
from pipeline.stages.enrich import Enriched
from pipeline.store.session import Unavailable
from pipeline.telemetry.traces import Span

log = logging.getLogger(__name__)

KAFKA = "Kafka"
MOST = 6_000
MOST_BYTES = 16 * 2**20
LINGER_S = 0.4
"""A batch is closed so long after its first message: many small commits would cost Postgres more than the wait costs
the reader, who sees a message after half of it on average."""
_IDLE_S = 0.5
_TELL_S = 1.0
_ASK_S = 5.0
_ASK_LIMIT_S = 5.0
_REVOKE_LIMIT_S = 2.0
_LEAVE_LIMIT_S = 3.0
_STOP_LIMIT_S = 7.0


class Source(Protocol):
    """What is used of ``consumers.kafka.consumer.BulkConsumer``."""

    async def start(self) -> None: ...
    async def read(self, limits: Limits, wait_s: float) -> Chunk: ...
    async def commit(self, next_offsets: Mapping[Partition, int]) -> dict[Partition, int]: ...
    async def ask(self) -> None: ...
    async def stop(self) -> None: ...


OpenSource = Callable[[Callable[[], Awaitable[None]]], Source]
"""Makes a source; the argument is to be awaited before partitions are taken away."""


class Loop:
    """The life of a worker: ``run`` until ``stop``."""

    def __init__(self, open_source: OpenSource, writer: Writer, health: Health, measures: Measures) -> None:
        self._open_source = open_source
        self._writer = writer
        self._health = health
        self._measures = measures
        self._ledger = Ledger()
        self._stopping = asyncio.Event()
        self._source: Source | None = None
        self._writing: asyncio.Task[None] | None = None
        self._asked_at = 0.0

    async def run(self) -> None:
        """Returns after ``stop``, when what was under way is committed; raises what can only be a bug."""
        tasks = {asyncio.create_task(work()) for work in (self._consume, self._tell_now_and_then, self._stopping.wait)}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                with suppress(Unavailable):  # Postgres was away when we were told to stop
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._finish()

    def stop(self) -> None:
        """End soon: nothing more is read."""
        self._stopping.set()
        self._writer.stop()

    async def _consume(self) -> None:
        await self._writer.refresh()
        backoff = Backoff()
        while True:
            self._source = self._open_source(self._before_revoke)
            try:
                await self._source.start()
                self._health.well(KAFKA)
                backoff.reset()
                await self._read_on(self._source)
            except KafkaAway as away:
                self._health.trouble(KAFKA, str(away))
                await self._leave()
                await asyncio.sleep(backoff.next_s())

    async def _read_on(self, source: Source) -> None:
        while True:
            chunk = await source.read(Limits(MOST, MOST_BYTES, LINGER_S), _IDLE_S)
            self._measures.read(chunk)
            for part in _parts(chunk):
                span = self._measures.begin(part)
                with span.active():
                    prepared = self._writer.prepare(part.messages)._replace(progress=part.progress)
                await self._written()
                self._writing = asyncio.create_task(self._write(part, prepared, span))
            if not chunk.messages:
                if self._writing is None or self._writing.done():
                    await self._written()
                    await self._writer.refresh()
                await self._look_after(source)

    async def _write(self, chunk: Chunk, prepared: Enriched, span: Span) -> None:
        began = time.monotonic()
        with span.active():
            result = await self._writer.commit(chunk.messages, prepared)
        took_s = time.monotonic() - began
        self._ledger.store(chunk.next_offsets)
        self._health.committed(result)
        self._measures.committed(chunk, prepared, result, took_s, span)
        if log.isEnabledFor(logging.DEBUG):
            told = {"batch": batch_of(chunk.messages), "seconds": round(took_s, 4)}
            log.debug("batch is in PostgreSQL", extra=told | result._asdict())

    async def _written(self) -> None:
        """Returns when nothing is being written."""
        if self._writing is not None:
            await asyncio.wait({self._writing})  # which, unlike awaiting it, leaves it alone when we are cancelled
            writing, self._writing = self._writing, None
            writing.result()

    async def _look_after(self, source: Source) -> None:
        """Nothing came: see now and then whether Kafka is there."""
        if time.monotonic() - self._asked_at < _ASK_S:
            return
        self._asked_at = time.monotonic()
        try:
            async with asyncio.timeout(_ASK_LIMIT_S):
                await source.ask()
        except (KafkaAway, TimeoutError) as error:
            # The client finds its way back by itself; leaving the group would only make it slower.
            self._health.trouble(KAFKA, str(error) or f"Kafka gave no answer in {_ASK_LIMIT_S:.0f} s")
        else:
            self._health.well(KAFKA)
            if self._writing is None:
                self._health.idle()

    async def _tell_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_TELL_S)
            await self._tell()

    async def _tell(self) -> None:
        """Commit the offsets that Kafka does not know yet. They are a hint: failing is no harm."""
        untold = self._ledger.untold()
        if not untold or self._source is None:
            return
        try:
            async with asyncio.timeout(_ASK_LIMIT_S):
                taken = await self._source.commit(untold)
        except (KafkaAway, TimeoutError) as error:
            log.debug("offsets are not committed yet: %r", error)
        else:
            self._ledger.tell(taken)

    async def _before_revoke(self) -> None:
        if self._writing is not None:  # its messages need not come again if it ends in time
            await asyncio.wait({self._writing}, timeout=_REVOKE_LIMIT_S)
        await self._tell()
        self._ledger.forget()

    async def _finish(self) -> None:
        try:
            async with asyncio.timeout(_STOP_LIMIT_S):
                with suppress(Unavailable):
                    await self._written()
                await self._tell()
                await self._leave()
        except TimeoutError:
            log.warning("stopped before all was told to Kafka: what is not comes again and is recognised")
        finally:
            self._writer.close()

    async def _leave(self) -> None:
        if self._source is not None:
            source, self._source = self._source, None
            with suppress(TimeoutError):
                async with asyncio.timeout(_LEAVE_LIMIT_S):
                    await source.stop()


def _parts(chunk: Chunk) -> Iterator[Chunk]:
    """The chunk, divided when its bodies are large: every commit copies them several times."""
    if 0 < chunk.size < MOST_BYTES:
        yield chunk
        return
    parts = list(batches(chunk.messages, lambda message: len(message.body), MOST, MOST_BYTES))
    for number, messages in enumerate(parts, 1):
        # Only with the last of its parts is the store behind the last message of each partition.
        last = number == len(parts)
        yield Chunk(messages, 0, chunk.next_offsets if last else {}, chunk.progress if last else {})
