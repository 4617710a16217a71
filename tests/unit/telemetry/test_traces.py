"""Traces as a collector gets them, and what a process does without one or with one that is away."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from pipeline.telemetry.otlp import MOST_CAUSES, OtlpTraces
from pipeline.telemetry.traces import NoTraces, traces_to
from tests.support.traced import OUTSIDE, attributes, spans
from tests.support.waiting import eventually
from tests.support.webhook import Webhook, webhook

HANGS = """
import socket
from pipeline.telemetry.traces import traces_to
with socket.create_server(("127.0.0.1", 0)) as silent:
    traces = traces_to(f"http://127.0.0.1:{silent.getsockname()[1]}", "worker")
    for _ in range(2000):
        traces.begin("batch", "consumer").end({})
"""


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    with webhook() as server:
        yield server


def test_a_batch_has_its_stages_as_parts_its_causes_as_links_and_its_attributes(collector: Webhook) -> None:
    traces = OtlpTraces(collector.url + "/", "worker")
    cause = traces.begin("publish batch", "producer")
    span = traces.begin("process batch", "consumer", causes=[cause.traceparent, "", "nonsense", OUTSIDE])
    traces.took("of nobody", 0.5)
    with span.active():
        traces.took("decode", 0.25)
    with span.active():
        traces.took("write", 0.125)
    cause.end({})
    span.end({"transferscope.batch": "fts.transfer-0:1-2", "messaging.batch.message_count": 2})
    eventually(lambda: len(spans(collector)) == 4, 10)

    found = {each["name"]: each for each in spans(collector)}
    batch = found["process batch"]
    assert {path for path, _ in collector.told} == {"/v1/traces"}
    assert attributes(collector.told[0][1]["resourceSpans"][0]["resource"])["service.name"] == "transferscope-worker"
    assert attributes(batch) == {"transferscope.batch": "fts.transfer-0:1-2", "messaging.batch.message_count": 2}
    linked = [(link["traceId"], link["spanId"]) for link in batch["links"]]
    assert linked == [
        (found["publish batch"]["traceId"], found["publish batch"]["spanId"]),
        tuple(OUTSIDE.split("-")[1:3]),
    ]
    for stage, seconds in (("decode", 0.25), ("write", 0.125)):
        part = found[stage]
        assert (part["traceId"], part["parentSpanId"]) == (batch["traceId"], batch["spanId"])
        assert int(part["endTimeUnixNano"]) - int(part["startTimeUnixNano"]) == pytest.approx(seconds * 1e9, abs=1000)
    assert found["publish batch"]["traceId"] != batch["traceId"], "a cause is no part of what it leads to"


def test_trouble_is_told(collector: Webhook) -> None:
    OtlpTraces(collector.url, "relay").begin("relay batch", "producer").end({}, "Kafka is away")
    eventually(lambda: len(spans(collector)) == 1, 10)
    assert spans(collector)[0]["status"] == {"message": "Kafka is away", "code": 2}


def test_causes_have_a_limit(collector: Webhook) -> None:
    traces = OtlpTraces(collector.url, "worker")
    causes = [OUTSIDE.replace("b7ad", f"{number:04x}") for number in range(1, 3 * MOST_CAUSES)]
    traces.begin("process batch", "consumer", causes=causes).end({})
    eventually(lambda: len(spans(collector)) == 1, 10)
    assert len(spans(collector)[0]["links"]) == MOST_CAUSES


def test_a_collector_that_takes_nothing_is_told_once_and_once_that_it_does_again(
    collector: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    collector.answers = 400
    traces = OtlpTraces(collector.url, "bridge")
    for _ in range(4):
        asked = len(collector.authorizations)
        traces.begin("publish batch", "producer").end({})
        eventually(lambda asked=asked: len(collector.authorizations) > asked, 10)  # type: ignore[misc]
    collector.answers = 200
    traces.begin("publish batch", "producer").end({})
    eventually(lambda: "takes traces again" in caplog.text, 10)
    address = f"{collector.url}/v1/traces"
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO] == [
        f"{address} takes no traces, they are dropped until it does: "
        "Failed to export spans batch code: 400, reason: Bad Request",
        f"{address} takes traces again",
    ]


def test_a_collector_that_is_not_there_is_told_with_what_the_system_said(caplog: pytest.LogCaptureFixture) -> None:
    with webhook() as gone:
        address = gone.url
    OtlpTraces(address, "bridge").begin("publish batch", "producer").end({})
    eventually(lambda: "takes no traces" in caplog.text, 20)
    assert "Connection refused" in caplog.text


def test_a_collector_that_never_answers_keeps_no_process_from_ending() -> None:
    began = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=60, check=True)
    assert time.monotonic() - began < 8
    assert ended.stderr.count("takes no traces") <= 1


def test_without_an_endpoint_nobody_is_told_and_the_sdk_is_not_even_loaded() -> None:
    traces = traces_to(None, "worker")
    assert isinstance(traces, NoTraces)
    span = traces.begin("process batch", "consumer", causes=["a"])
    with span.active():
        traces.took("decode", 1)
    span.end({"a": 1})
    assert span.traceparent == ""
    program = "import sys, consumers.worker.app, pipeline.web.app; print('opentelemetry.sdk' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert loaded.stdout.strip() == "False"
