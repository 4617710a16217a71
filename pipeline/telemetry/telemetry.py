"""The metrics of one process, in a registry of its own: counted by whoever works, told when Prometheus asks.

prometheus-client is known here alone. Counting takes about a microsecond; callers count once a batch or a request,
never once a message.
"""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Mapping
from importlib.metadata import version
from math import nan
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from pipeline.telemetry import metrics
from pipeline.telemetry.metrics import Metric, Process
from pipeline.telemetry.traces import traces_to

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for every counter, which says when the process began to count


class Telemetry:
    """For all threads. Methods raise KeyError for a metric that this process does not have."""

    def __init__(self, process: Process, traces_endpoint: str | None = None) -> None:
        """``traces`` go to the collector at that endpoint, if one is given."""
        self.traces = traces_to(traces_endpoint, process)
        self._registry = CollectorRegistry()
        self._made = {metric.name: _made(metric, self._registry) for metric in metrics.of(process)}
        self._looks: list[Callable[[], None]] = []
        self._totals: dict[tuple[str, ...], float] = {}
        self._telling = threading.Lock()
        ProcessCollector(registry=self._registry)
        self.set(metrics.BUILD_INFO, 1, process, version("transferscope"), platform.python_version())

    def add(self, metric: Metric, number: float, *labels: str) -> None:
        """A counter rises."""
        self._child(metric, labels).inc(number)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """A gauge has this value now."""
        self._child(metric, labels).set(value)

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """A histogram has one value more."""
        self._child(metric, labels).observe(value)

    def total(self, metric: Metric, total: float, *labels: str) -> None:
        """A counter that somebody else counts has come to this."""
        before = self._totals.get((metric.name, *labels), 0)
        self._totals[metric.name, *labels] = total
        self.add(metric, total - before, *labels)

    def forget(self, metric: Metric) -> None:
        """The value of a gauge is not known: NaN."""
        _unknown(metric, self._made[metric.name])

    def replace(self, metric: Metric, values: Mapping[str, float]) -> None:
        """A gauge with one label has these values and no others, from one scrape to the next."""
        with self._telling:
            self._made[metric.name].clear()
            for label, value in values.items():
                self.set(metric, value, label)

    def before_each_scrape(self, look: Callable[[], None]) -> None:
        """``look`` sets gauges that nobody needs to follow; it must be quick and may run in any thread."""
        self._looks.append(look)

    def text(self) -> bytes:
        """All of it in Prometheus' text format, of the type ``MEDIA_TYPE``."""
        with self._telling:
            for look in self._looks:
                look()
            return generate_latest(self._registry)

    def _child(self, metric: Metric, labels: tuple[str, ...]) -> Any:
        made = self._made[metric.name]
        return made.labels(*labels) if metric.labels else made


def _made(metric: Metric, registry: CollectorRegistry) -> Any:
    made: Any
    if metric.kind == "histogram":
        made = Histogram(metric.name, metric.meaning, metric.labels, registry=registry, buckets=metric.buckets)
    else:
        kind = Counter if metric.kind == "counter" else Gauge
        made = kind(metric.name, metric.meaning, metric.labels, registry=registry)
    for value in metric.known:
        made.labels(value)
    if metric.kind == "gauge":
        _unknown(metric, made)
    return made


def _unknown(metric: Metric, gauge: Any) -> None:
    if not metric.labels:
        gauge.set(nan)
        return
    gauge.clear()
    for value in metric.known:
        gauge.labels(value).set(nan)
