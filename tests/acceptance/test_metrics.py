"""Every process tells all of its metrics, and the numbers are those of the messages that went through."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from typing import get_args

import pytest

from consumers.worker.config import GROUP
from pipeline.telemetry import metrics
from pipeline.telemetry.metrics import Process
from schemas.topics import TRANSFERS
from tests.support.commands import Commands, Running
from tests.support.hostile import hostile_messages
from tests.support.publishing import Publisher
from tests.support.recounted import rough_traffic
from tests.support.scraped import Scrape, address_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

SEED = 6
MESSAGES = 2000
BATCH = re.compile(r"([\w.]+)-(\d+):(\d+)-(\d+)")


@pytest.fixture
def processes(transferscope: Commands) -> dict[Process, Running]:
    """One of each, with JSON logs and a line for each batch."""
    told = {"TRANSFERSCOPE_LOG_FORMAT": "json", "TRANSFERSCOPE_WEB_PORT": "0"}
    started = {}
    for name in get_args(Process):
        verbose = ("--verbose",) if name in ("bridge", "worker") else ()
        started[name] = transferscope.start(name, *verbose, settings=told)
    return started


def test_what_went_through_is_what_they_tell(transferscope: Commands, processes: dict[Process, Running]) -> None:
    messages = [
        *rough_traffic(MESSAGES, SEED),
        *(each.message for each in hostile_messages() if len(each.message.body) < 10**6),
    ]
    for name, running in processes.items():
        running.await_word("listening on " if name == "web" else "health page at ", 60)
    transferscope.wait_idle()
    with Publisher(messages, transferscope.settings, rate=2000):
        pass
    state = transferscope.wait_idle()
    assert state["relays"] == [f"{address_of(processes['relay'])}/healthz"]
    bases = {name: address_of(running) for name, running in processes.items()}
    eventually(lambda: Scrape(bases["relay"])["relay_outbox_rows"] == 0, 60)
    eventually(lambda: Scrape(bases["web"])["store_up"] == 1, 60)
    found = {name: Scrape(base) for name, base in bases.items()}

    for name, scrape in found.items():
        families = {family.name for family in scrape.families if family.name.startswith("transferscope_")}
        assert families == {metric.name.removesuffix("_total") for metric in metrics.of(name)}, name
    # On a busy machine a connection may just be made anew.
    eventually(lambda: all(Scrape(bases[name])["healthy"] == 1 for name in metrics.HEALTHY.processes), 60)

    bridge, worker = found["bridge"], found["worker"]
    number = len(messages)
    # A broker hands out again what a connection that was lost on a busy machine had not acknowledged.
    came, shipped, acked = (
        bridge[f"bridge_{counted}_messages_total"] for counted in ("received", "published", "acknowledged")
    )
    assert came >= shipped >= acked >= number
    if bridge["bridge_connection_failures_total"] == 0:
        assert came == number
        assert bridge["bridge_unacknowledged_messages"] == bridge["bridge_oldest_unacknowledged_seconds"] == 0
    assert bridge["bridge_batch_messages_sum"] == came
    read = worker["worker_read_messages_total"]
    assert read >= shipped
    assert worker["worker_read_bytes_total"] > sum(len(message.body) for message in messages) / 2
    outcomes = {outcome: worker["worker_messages_total", outcome] for outcome in metrics.OUTCOMES}
    assert number <= sum(outcomes.values()) <= read
    dead = {reason: worker["worker_dead_letters_total", reason] for reason in metrics.WORKER_DEAD.known}
    assert sum(dead.values()) == outcomes["dead"] > 0
    assert {reason for reason, count in dead.items() if count} == state["dead_letters"].keys()
    batches = worker["worker_commit_seconds_count"]
    assert batches >= 1
    assert worker["worker_batch_messages_sum"] == sum(outcomes.values())
    assert all(worker["worker_stage_seconds_count", stage] >= batches for stage in metrics.STAGES)
    assert worker["service_up", "Kafka"] == worker["service_up", "PostgreSQL"] == 1
    assert 0 <= time.time() - worker["worker_last_commit_timestamp_seconds"] < 600
    assert found["relay"]["relay_has_turn"] == 1
    assert found["relay"]["relay_published_documents_total", TRANSFERS] > 0
    eventually(lambda: time.time() - Scrape(bases["alerts"])["alerts_last_run_timestamp_seconds"] < 60, 90)
    alerts = Scrape(bases["alerts"])
    assert alerts["alerts_group_lag_messages", GROUP] >= 0
    consumers = {
        tuple(queue): value for (name, *queue), value in alerts.values.items() if name == "alerts_queue_consumers"
    }
    assert len(consumers) >= 2
    with urllib.request.urlopen(f"{bases['web']}/api/v1/links?from=-1d&to=now", timeout=20):
        pass
    again = Scrape(bases["web"])
    assert again["web_requests_total", "GET", "/metrics", "200"] >= 2
    assert again["web_requests_total", "GET", "/api/v1/links", "200"] == 1
    assert again["web_request_seconds_count", "/api/v1/links"] == 1
    assert again["web_statement_seconds_count"] > found["web"]["web_statement_seconds_count"]


def test_logs_are_json_and_a_batch_is_found_in_both(transferscope: Commands, processes: dict[Process, Running]) -> None:
    bridge, worker = processes["bridge"], processes["worker"]
    for running in (bridge, worker):
        running.await_word("health page at ", 60)
    transferscope.wait_idle()
    with Publisher(rough_traffic(500, SEED), transferscope.settings, rate=2000):
        pass
    transferscope.wait_idle()
    shipped, stored = _places(bridge, "batch is in Kafka"), _places(worker, "batch is in PostgreSQL")
    assert len(shipped) >= 500
    assert shipped == stored


def _places(running: Running, sentence: str) -> set[tuple[str, int, int]]:
    """All offsets of the batches in the log, every line of which is an object."""
    lines = [json.loads(line) for line in running.said().splitlines() if not line.startswith("transferscope: ")]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    found = set()
    for line in lines:
        if line["message"] == sentence:
            for topic, partition, first, last in BATCH.findall(line["batch"]):
                found |= {(topic, int(partition), offset) for offset in range(int(first), int(last) + 1)}
    return found
