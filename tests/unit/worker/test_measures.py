"""What a worker counts is what went through it, a fixed number of times a batch however large that is."""

from __future__ import annotations

import time
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumers.kafka.consumer import Chunk
from consumers.worker.measures import Measures
from pipeline.ingest import BatchResult
from pipeline.stages.enrich import Enriched
from pipeline.stages.finality import Source
from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry
from tests.support.worker_fakes import message


class Counting(Telemetry):
    calls = 0

    def _child(self, metric: Any, labels: tuple[str, ...]) -> Any:
        self.calls += 1
        return super()._child(metric, labels)


def batch(number: int, dead: int, received_ms: int) -> tuple[Chunk, Enriched, BatchResult]:
    messages = [message(0, offset) for offset in range(number)]
    progress = {Source("t", 0, "broker"): received_ms - 5000, Source("t", 1, "broker"): received_ms}
    enriched = Enriched([], [], [], [], 7, [], {})._replace(progress=progress)
    return Chunk(messages, 2 * number, {}, progress), enriched, BatchResult(number, number - dead, 0, dead)


def count(measures: Measures, number: int, dead: int, received_ms: int = 0) -> None:
    chunk, enriched, result = batch(number, dead, received_ms)
    measures.read(chunk)
    for stage in metrics.STAGES:
        measures.took(stage, 0.02)
    measures.died(["not_json"] * dead)
    measures.committed(chunk, enriched, result, 0.3, measures.begin(chunk))


def values(telemetry: Telemetry) -> dict[tuple[str, ...], float]:
    return {
        (sample.name.removeprefix("transferscope_worker_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(telemetry.text().decode())
        for sample in family.samples
    }


def test_numbers_are_those_of_the_batches() -> None:
    telemetry = Telemetry("worker")
    measures = Measures(telemetry)
    before = time.time()
    for number, dead in ((100, 3), (50, 0)):
        count(measures, number, dead, int((time.time() - 20) * 1000))
    found = values(telemetry)
    assert (found[("read_messages_total",)], found[("read_bytes_total",)]) == (150, 300)
    assert [found["messages_total", outcome] for outcome in metrics.OUTCOMES] == [147, 0, 3]
    assert (found["dead_letters_total", "not_json"], found["dead_letters_total", "empty"]) == (3, 0)
    assert (found[("batch_messages_sum",)], found[("batch_messages_count",)]) == (150, 2)
    assert found[("commit_seconds_sum",)] == pytest.approx(0.6)
    assert found["stage_seconds_count", "load"] == 2
    assert before <= found[("last_commit_timestamp_seconds",)] <= time.time()
    assert found[("topology_revision",)] == 7
    assert (found["delay_seconds_bucket", "10.0"], found["delay_seconds_bucket", "300.0"]) == (0, 2)


def test_an_empty_read_is_no_batch() -> None:
    telemetry = Counting("worker")
    calls = telemetry.calls
    Measures(telemetry).read(Chunk([], 0, {}, {}))
    assert telemetry.calls == calls


def test_a_large_batch_costs_no_more_calls_than_a_small_one() -> None:
    telemetry = Counting("worker")
    measures = Measures(telemetry)
    calls = []
    for number in (10, 6000):
        before = telemetry.calls
        count(measures, number, number // 2)
        calls.append(telemetry.calls - before)
    assert calls[0] == calls[1] < 25
