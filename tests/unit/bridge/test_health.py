"""When a bridge is healthy and ready, and what its metrics tell of its connections."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from consumers.bridge.health import BridgeHealth
from consumers.bridge.ledger import Backlog
from consumers.bridge.stats import CONNECTED, CONNECTING, LinkStats
from pipeline.telemetry.telemetry import Telemetry

WELL = LinkStats("a:1", CONNECTED, backlog=Backlog(10, 2000, 0.5))
AWAY = LinkStats("b:1", CONNECTING, last_error="b:1 refuses")
STUCK = LinkStats("c:1", CONNECTED, backlog=Backlog(7, 700, 61.0))


def health(*links: LinkStats) -> BridgeHealth:
    return BridgeHealth(lambda: [link.as_dict() for link in links])


def told(*links: LinkStats) -> dict[tuple[str, ...], float]:
    telemetry = Telemetry("bridge")
    health(*links).measure(telemetry)
    return {
        (sample.name.removeprefix("transferscope_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(telemetry.text().decode())
        for sample in family.samples
    }


def test_one_broker_of_several_is_enough() -> None:
    report: Any = health(WELL, AWAY).report()
    assert (report["healthy"], report["why"]) == (True, None)
    assert [link["state"] for link in report["brokers"]] == [CONNECTED, CONNECTING]
    assert health(WELL, AWAY).why_not_ready() is None


def test_without_any_it_says_why() -> None:
    assert health(AWAY).report()["why"] == "no broker is connected: b:1 refuses"
    assert health(AWAY).why_not_ready() == "no broker is connected: b:1 refuses"
    assert health().report()["why"] == "no broker is connected"


def test_a_kafka_that_takes_nothing_for_a_minute_is_unhealthy_and_yet_ready() -> None:
    assert health(WELL, STUCK).report()["why"] == "Kafka has not taken a message for 61 s"
    assert health(WELL, STUCK).why_not_ready() is None


def test_metrics_add_the_connections_up() -> None:
    found = told(WELL, AWAY, STUCK)
    assert found["bridge_connections", CONNECTED] == 2
    assert found["bridge_connections", CONNECTING] == 1
    assert found["bridge_connections", "stopped"] == 0
    assert found[("bridge_unacknowledged_messages",)] == 17
    assert found[("bridge_unacknowledged_bytes",)] == 2700
    assert found[("bridge_oldest_unacknowledged_seconds",)] == 61
    assert (found["service_up", "ActiveMQ"], found["service_up", "Kafka"], found[("healthy",)]) == (1, 0, 0)
    assert (told(AWAY)["service_up", "ActiveMQ"], told(WELL)[("healthy",)]) == (0, 1)
