"""What runs beside ``bench ingest``: the two ends of its way alone, on the same services, and plain Python."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

from consumers.kafka.access import KafkaAccess
from consumers.kafka.consumer import BulkConsumer
from consumers.kafka.gather import Limits
from consumers.worker.config import TOPICS
from consumers.worker.loop import LINGER_S, MOST, MOST_BYTES
from pipeline.ingest import Ingest, garbage
from pipeline.simulator import SimMessage, simulate
from pipeline.simulator.mix import CLEAN
from pipeline.stages.enrich import Enriched
from pipeline.store import rows
from pipeline.store.copying import copy_rows
from pipeline.store.links import Numbered
from pipeline.store.session import connect
from schemas.envelope import RawMessage
from schemas.topics import BROKER_TOPICS

_HOUR_MS = 3_600_000
_READ_S = 1.0
_ROUNDS = 3_000_000


def read_alone(access: KafkaAccess, messages: int) -> float:
    """Messages a second that a worker's client reads when nobody does anything with them."""
    garbage.stop_automatic()  # as in a worker
    return asyncio.run(_read(access, messages))


async def _read(access: KafkaAccess, messages: int) -> float:
    async def nothing() -> None:
        pass

    limits = Limits(MOST, MOST_BYTES, LINGER_S)
    consumer = BulkConsumer(access, TOPICS, f"bench-{os.getpid()}", nothing)
    await consumer.start()
    try:
        number = len((await consumer.read(limits, 10 * _READ_S)).messages)
        first, began = number, time.perf_counter()
        while number < messages:
            number += len((await consumer.read(limits, _READ_S)).messages)
        return (number - first) / (time.perf_counter() - began)
    finally:
        await consumer.stop()


def python_alone() -> float:
    """Rounds a second of a loop of plain Python on one core: machines that are shared have fast and slow minutes."""
    began = time.process_time()
    total = 0
    for number in range(_ROUNDS):
        total += number * number % 7
    return _ROUNDS / (time.process_time() - began)


def copy_alone(database_url: str, messages: int) -> float:
    """Rows a second that COPY takes of finished rows of starts and completes, into tables without an index."""
    with closing(Ingest(database_url)) as core, closing(connect(database_url)) as store:
        core.refresh()
        batches = [core.prepare(batch) for batch in _batches(messages)]
        texts = [_texts(batch) for batch in batches]
        with store, store.cursor() as cursor:
            for table in ("start", "transfer"):
                cursor.execute(f"CREATE TEMPORARY TABLE bench_{table} (LIKE store.{table} INCLUDING DEFAULTS)")
        began = time.perf_counter()
        for starts, completes in texts:
            with store, store.cursor() as cursor:
                copy_rows(cursor, "bench_start", rows.START_COLUMNS, starts)
                copy_rows(cursor, "bench_transfer", rows.TRANSFER_COLUMNS, completes)
        return messages / (time.perf_counter() - began)


def _texts(batch: Enriched) -> tuple[list[str], list[str]]:
    numbers = Numbered(
        dict.fromkeys([new.link for new in batch.starts] + [new.link for new in batch.completes], 1),
        dict.fromkeys([new.flow for new in batch.starts] + [new.flow for new in batch.completes], 1),
        dict.fromkeys([new.error for new in batch.completes if new.error is not None], 1),
    )
    return (
        [rows.start_row(new, numbers, 0) for new in batch.starts],
        [rows.transfer_row(new, numbers, 0) for new in batch.completes],
    )


def _batches(messages: int) -> Iterator[Sequence[RawMessage]]:
    batch: list[RawMessage] = []
    for number, message in enumerate(simulate(messages, 1, time.time_ns() // 1_000_000 - 2 * _HOUR_MS, mix=CLEAN)):
        batch.append(_raw(number, message))
        if len(batch) == MOST or number == messages - 1:
            yield batch
            batch = []


def _raw(number: int, message: SimMessage) -> RawMessage:
    kind, ref = BROKER_TOPICS[message.topic], f"bench:{number}"
    return RawMessage(kind, message.topic, message.body, message.headers, message.received_ms, ref, ref)
