"""What a worker counts, a few times a batch."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable

from consumers.kafka.consumer import Chunk
from consumers.kafka.records import batch_of, causes_of
from pipeline.ingest import BatchResult
from pipeline.stages.enrich import Enriched
from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry
from pipeline.telemetry.traces import BATCH, BATCH_MESSAGES, Attribute, Span


class Measures:
    """For all threads of the worker. A ``pipeline.telemetry.watch.Watch`` of its ingest."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def read(self, chunk: Chunk) -> None:
        """It came from Kafka."""
        if chunk.messages:
            self._telemetry.add(metrics.WORKER_READ, len(chunk.messages))
            self._telemetry.add(metrics.WORKER_READ_BYTES, chunk.size)

    def begin(self, chunk: Chunk) -> Span:
        """Its work begins."""
        causes = causes_of(chunk.messages) if self._telemetry.traces.is_on else ()
        return self._telemetry.traces.begin("process batch", "consumer", causes=causes)

    def took(self, stage: str, seconds: float) -> None:
        """A stage of a batch has ended."""
        self._telemetry.traces.took(stage, seconds)
        self._telemetry.observe(metrics.WORKER_STAGE, seconds, stage)

    def died(self, reasons: Iterable[str]) -> None:
        """These dead letters are committed."""
        for reason, number in Counter(reasons).items():
            self._telemetry.add(metrics.WORKER_DEAD, number, reason)

    def committed(self, chunk: Chunk, batch: Enriched, result: BatchResult, seconds: float, span: Span) -> None:
        """A batch is in Postgres; ``seconds`` since it was handed over."""
        now = time.time()
        self._telemetry.set(metrics.WORKER_LAST_COMMIT, now)
        self._telemetry.set(metrics.WORKER_TOPOLOGY, batch.topology_revision)
        self._telemetry.observe(metrics.WORKER_COMMIT, seconds)
        self._telemetry.observe(metrics.WORKER_BATCH, result.received)
        for outcome in metrics.OUTCOMES:
            self._telemetry.add(metrics.WORKER_MESSAGES, getattr(result, outcome), outcome)
        if batch.progress:
            self._telemetry.observe(metrics.WORKER_DELAY, max(0.0, now - max(batch.progress.values()) / 1000))
        if self._telemetry.traces.is_on:
            told: dict[str, Attribute] = {f"transferscope.{each}": getattr(result, each) for each in metrics.OUTCOMES}
            span.end(told | {BATCH: batch_of(chunk.messages), BATCH_MESSAGES: len(chunk.messages)})
