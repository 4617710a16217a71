"""The registry of metrics keeps to Prometheus' conventions, and a process tells what stands there and nothing else."""

from __future__ import annotations

import math
import re
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.telemetry import metrics
from pipeline.telemetry.metrics import Metric, Process
from pipeline.telemetry.telemetry import Telemetry

NAME = re.compile(r"transferscope_[a-z]+(_[a-z]+)*")
FORBIDDEN = {"host", "src", "dst", "site", "link", "vo", "user", "broker", "instance", "job", "le", "quantile"}
SUFFIXES = {"seconds": "_seconds", "bytes": "_bytes", "seconds since 1970": "_timestamp_seconds"}

of_each_metric = pytest.mark.parametrize("metric", metrics.ALL, ids=lambda metric: metric.name)
of_each_process = pytest.mark.parametrize("process", get_args(Process))


def told(telemetry: Telemetry) -> dict[str, dict[tuple[str, ...], float]]:
    """Name of each sample -> label values -> value."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(telemetry.text().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


@of_each_metric
def test_a_name_says_kind_and_unit(metric: Metric) -> None:
    assert NAME.fullmatch(metric.name)
    assert (metric.kind == "counter") == metric.name.endswith("_total")
    stem = metric.name.removesuffix("_total")
    if metric.unit in SUFFIXES:
        assert stem.endswith(SUFFIXES[metric.unit])
    assert not stem.endswith(("_bucket", "_count", "_sum", "_created"))
    assert metric.meaning


@of_each_metric
def test_labels_are_few_and_never_name_a_host_a_link_or_a_user(metric: Metric) -> None:
    assert not FORBIDDEN.intersection(metric.labels)
    assert not metric.known or len(metric.labels) == 1
    assert (metric.kind == "histogram") == bool(metric.buckets)
    assert list(metric.buckets) == sorted(set(metric.buckets))


def test_no_name_is_there_twice() -> None:
    names = [metric.name for metric in metrics.ALL]
    assert len(set(names)) == len(names)


@of_each_process
def test_a_process_tells_all_its_metrics_and_no_others_of_ours(process: Process) -> None:
    families = list(text_string_to_metric_families(Telemetry(process).text().decode()))
    found = {family.name: family for family in families if family.name.startswith("transferscope_")}
    expected = {metric.name.removesuffix("_total"): metric for metric in metrics.of(process)}
    assert found.keys() == expected.keys()
    for name, metric in expected.items():
        assert (found[name].type, found[name].documentation) == (metric.kind, metric.meaning)
        values = {tuple(sample.labels[label] for label in metric.labels) for sample in found[name].samples}
        assert {(known,) for known in metric.known} <= values


def test_each_process_also_tells_what_it_uses_of_the_machine() -> None:
    assert {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"} <= told(
        Telemetry("bridge")
    ).keys()


def test_counters_rise_gauges_are_set_histograms_observe() -> None:
    telemetry = Telemetry("worker")
    telemetry.add(metrics.WORKER_MESSAGES, 5, "stored")
    telemetry.add(metrics.WORKER_MESSAGES, 2, "stored")
    telemetry.set(metrics.WORKER_TOPOLOGY, 7)
    telemetry.observe(metrics.WORKER_STAGE, 0.02, "load")
    found = told(telemetry)
    assert found["transferscope_worker_messages_total"] == {("stored",): 7, ("duplicate",): 0, ("dead",): 0}
    assert found["transferscope_worker_topology_revision"] == {(): 7}
    assert found["transferscope_worker_stage_seconds_sum"][("load",)] == 0.02
    buckets = found["transferscope_worker_stage_seconds_bucket"]
    assert (buckets["0.01", "load"], buckets["0.025", "load"], buckets["+Inf", "load"]) == (0, 1, 1)


def test_a_gauge_that_nobody_has_set_is_not_a_number_and_is_so_again_when_forgotten() -> None:
    telemetry = Telemetry("worker")
    last, lag = metrics.WORKER_LAST_COMMIT, metrics.WORKER_GROUP_LAG
    for _ in range(2):
        found = told(telemetry)
        assert math.isnan(found[last.name][()])
        assert found[lag.name].keys() == {(topic,) for topic in lag.known}
        assert all(math.isnan(value) for value in found[lag.name].values())
        telemetry.set(last, 1.0)
        telemetry.set(lag, 2.0, lag.known[0])
        assert told(telemetry)[lag.name][(lag.known[0],)] == 2.0
        telemetry.forget(last)
        telemetry.forget(lag)


def test_a_total_that_somebody_else_counts_is_a_counter_here() -> None:
    telemetry = Telemetry("relay")
    for total in (2, 2, 5):
        telemetry.total(metrics.SERVICE_OUTAGES, total, "Kafka")
    assert told(telemetry)["transferscope_service_outages_total"] == {("Kafka",): 5}


def test_what_is_looked_at_for_each_scrape_is_as_new_as_the_scrape() -> None:
    telemetry = Telemetry("bridge")
    ages = iter((1.0, 2.0))
    telemetry.before_each_scrape(lambda: telemetry.set(metrics.BRIDGE_OLDEST, next(ages)))
    assert [told(telemetry)[metrics.BRIDGE_OLDEST.name][()] for _ in range(2)] == [1.0, 2.0]


def test_a_metric_of_another_process_is_a_bug_that_shows() -> None:
    with pytest.raises(KeyError):
        Telemetry("bridge").add(metrics.WORKER_READ, 1)


def test_text_of_others_in_a_label_is_escaped() -> None:
    telemetry = Telemetry("web")
    hostile = 'a"b\\c\nd'
    telemetry.add(metrics.WEB_REQUESTS, 1, "GET", hostile, "200")
    assert told(telemetry)["transferscope_web_requests_total"] == {("GET", hostile, "200"): 1}
