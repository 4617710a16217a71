"""What waits, as the alerter tells it: a queue is one over all brokers, and what was not sampled is not known."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from consumers.alerts.measures import measure
from pipeline.stages.backlog import Sample
from pipeline.telemetry.telemetry import Telemetry

SAMPLES = (
    Sample("queue", "b1", "q", 10, 5.0, 2),
    Sample("queue", "b2", "q", 30, 90.0, 0),
    Sample("queue", "b3", "q", None),
    Sample("queue", "b1", "r", 1),
    Sample("queue", "b1", "of.others", 9, 9.0, 9, ours=False),
    Sample("group", "k:9092", "workers", 7),
)


def told(telemetry: Telemetry) -> dict[tuple[str, ...], float]:
    return {
        (sample.name.removeprefix("transferscope_alerts_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(telemetry.text().decode())
        for sample in family.samples
        if sample.name.startswith(("transferscope_alerts_queue", "transferscope_alerts_group"))
    }


def test_messages_add_up_and_the_worst_broker_tells_consumers_and_age() -> None:
    telemetry = Telemetry("alerts")
    measure(telemetry, SAMPLES)
    assert told(telemetry) == {
        ("queue_messages", "q"): 40,
        ("queue_messages", "r"): 1,
        ("queue_consumers", "q"): 0,
        ("queue_oldest_seconds", "q"): 90,
        ("group_lag_messages", "workers"): 7,
    }


def test_a_look_that_sees_less_takes_back_what_it_does_not_see() -> None:
    telemetry = Telemetry("alerts")
    measure(telemetry, SAMPLES)
    measure(telemetry, SAMPLES[-1:])
    assert told(telemetry) == {("group_lag_messages", "workers"): 7}
