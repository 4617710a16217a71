"""A batch is followed from the broker to the tables, by a collector that each process tells of its part."""

from __future__ import annotations

import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from pipeline.telemetry import metrics
from tests.support.commands import Commands
from tests.support.publishing import Publisher
from tests.support.recounted import assert_recounted, rough_traffic
from tests.support.scraped import address_of
from tests.support.traced import OUTSIDE, attributes, spans
from tests.support.waiting import eventually
from tests.support.webhook import webhook

pytestmark = pytest.mark.stack

SEED = 81
MESSAGES = 1000
PROCESSES = ("bridge", "worker", "relay", "alerts", "web")


def test_traces_lead_from_the_broker_to_the_tables_and_to_who_reads_them(
    transferscope: Commands, tmp_path: Path
) -> None:
    messages = rough_traffic(MESSAGES, SEED)
    with webhook() as collector:
        settings = {"TRANSFERSCOPE_TRACES_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "500"}
        running = [transferscope.start(name, settings=settings) for name in PROCESSES]
        page = address_of(running[-1])
        with Publisher(messages, transferscope.settings, rate=2000):
            pass
        transferscope.wait_idle()
        request = urllib.request.Request(f"{page}/api/v1/links", headers={"traceparent": OUTSIDE})
        with urllib.request.urlopen(request, timeout=30) as answer:
            request_id = answer.headers["X-Request-ID"]
        eventually(lambda: [] not in [spans(collector, name) for name in PROCESSES], 60)
        for each in running:
            each.end()

    published = {(span["traceId"], span["spanId"]): span for span in spans(collector, "bridge")}
    assert {span["name"] for span in published.values()} == {"publish batch"}
    of_worker = spans(collector, "worker")
    batches = {span["spanId"]: span for span in of_worker if span["name"] == "process batch"}
    linked = {(link["traceId"], link["spanId"]) for batch in batches.values() for link in batch["links"]}
    assert linked == set(published), "each batch of the bridge led to batches of the worker"
    for of_all in (published, batches):
        told = [attributes(span) for span in of_all.values()]
        assert sum(each["messaging.batch.message_count"] for each in told) == MESSAGES
        assert all(each["transferscope.batch"].startswith("fts.") for each in told)
    stages = Counter(span["name"] for span in of_worker if span.get("parentSpanId") in batches)
    assert set(stages) == set(metrics.STAGES)
    assert stages["commit"] >= len(batches)

    requests = [span for span in spans(collector, "web") if span["traceId"] == OUTSIDE.split("-")[1]]
    (asked,) = [span for span in requests if span["name"] == "GET /api/v1/links"]
    assert asked["parentSpanId"] == OUTSIDE.split("-")[2]
    assert attributes(asked)["transferscope.request"] == request_id
    assert {span["name"] for span in requests if span.get("parentSpanId") == asked["spanId"]} == {"statement"}
    assert {span["name"] for span in spans(collector, "relay")} == {"relay batch"}
    assert {"look: link-health", "look: rules"} >= {span["name"] for span in spans(collector, "alerts")}
    assert_recounted(messages, tmp_path, transferscope.database_url, note=f"seed {SEED}")
