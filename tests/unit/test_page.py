"""The page of a process without an event loop: health, readiness, metrics, from its own thread."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumers.health import STALLED_S, Health
from consumers.page import Page, answering
from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock)


@pytest.fixture
def address(health: Health) -> Iterator[str]:
    page = Page(health, Telemetry("relay"), "127.0.0.1", 0)
    with answering(page):
        yield page.address.removesuffix("/healthz")


def get(address: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers["Content-Type"], refused.read().decode()


def values(address: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(get(f"{address}/metrics")[2])
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_healthz_is_503_while_a_service_is_away_or_nothing_is_done(address: str, health: Health, clock: Clock) -> None:
    assert get(f"{address}/healthz")[0] == 200
    health.trouble("Kafka", "Kafka at a:1 cannot be reached")
    status, _, text = get(f"{address}/healthz")
    assert (status, json.loads(text)) == (503, {"healthy": False, "why": "Kafka at a:1 cannot be reached"})
    health.well("Kafka")
    assert get(f"{address}/healthz")[0] == 200
    clock.now += STALLED_S + 1
    assert json.loads(get(f"{address}/healthz")[2])["why"] == "nothing was done for 61 s"
    health.idle()
    assert get(f"{address}/healthz")[0] == 200


def test_readyz_is_503_until_a_service_has_answered_and_while_one_is_away(address: str, health: Health) -> None:
    status, _, text = get(f"{address}/readyz")
    assert (status, json.loads(text)["ready"]) == (503, False)
    health.well("PostgreSQL")
    assert get(f"{address}/readyz")[0] == 200
    health.trouble("PostgreSQL", "away")
    assert json.loads(get(f"{address}/readyz")[2]) == {"ready": False, "why": "away"}


def test_metrics_tell_how_it_is_now(address: str, health: Health) -> None:
    status, kind, _ = get(f"{address}/metrics")
    assert (status, kind.split(";")[0]) == (200, "text/plain")
    assert "version=0.0.4" in kind
    up, outages = metrics.SERVICE_UP.name, metrics.SERVICE_OUTAGES.name
    assert values(address)[(metrics.HEALTHY.name,)] == 1
    for number in (1, 2):
        health.trouble("PostgreSQL", "away")
        health.trouble("PostgreSQL", "still away")
        found = values(address)
        assert found[(metrics.HEALTHY.name,)] == 0
        assert (found[up, "PostgreSQL"], found[outages, "PostgreSQL"]) == (0, number)
        health.well("PostgreSQL")
        found = values(address)
        assert (found[up, "PostgreSQL"], found[outages, "PostgreSQL"]) == (1, number)


def test_a_taken_port_is_known_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        Page(Health(), Telemetry("relay"), "127.0.0.1", taken.getsockname()[1])


def test_after_the_end_nobody_answers(health: Health) -> None:
    page = Page(health, Telemetry("relay"), "127.0.0.1", 0)
    with answering(page):
        assert get(page.address)[0] == 200
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(page.address, timeout=10)
