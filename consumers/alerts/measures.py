"""What the alerter counts: what waits, by queue over all brokers, and what its looks raise and clear."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from pipeline.stages.alert_rules import LINK_HEALTH
from pipeline.stages.backlog import Sample
from pipeline.store import alerts, link_health
from pipeline.store.session import Unavailable
from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry

T = TypeVar("T")


class Looks:
    """Times the looks of the rules and counts the alerts that they change."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def links(self, look: Callable[[], link_health.Changes]) -> None:
        """A look at the links that were used."""
        changes = self._timed("link-health", look)
        self._telemetry.add(metrics.ALERTS_RAISED, len(changes.raised), LINK_HEALTH)
        self._telemetry.add(metrics.ALERTS_CLEARED, len(changes.cleared), LINK_HEALTH)

    def rules(self, look: Callable[[], alerts.Changes]) -> None:
        """A look at all else."""
        changes = self._timed("rules", look)
        for metric, findings in ((metrics.ALERTS_RAISED, changes.raised), (metrics.ALERTS_CLEARED, changes.cleared)):
            for finding in findings:
                self._telemetry.add(metric, 1, finding.rule)

    def _timed(self, name: str, look: Callable[[], T]) -> T:
        began = time.perf_counter()
        span = self._telemetry.traces.begin(f"look: {name}", "internal")
        try:
            found = look()
        except Unavailable as error:
            span.end({}, trouble=str(error))
            raise
        span.end({})
        self._telemetry.observe(metrics.ALERTS_RUN, time.perf_counter() - began, name)
        return found


def measure(telemetry: Telemetry, samples: Iterable[Sample]) -> None:
    """These samples take the place of those before; what was not sampled is not known."""
    depths: dict[str, float] = {}
    consumers: dict[str, float] = {}
    oldest: dict[str, float] = {}
    lags: dict[str, float] = {}
    waited: dict[str, float] = {}
    for sample in samples:
        if sample.depth is None or not sample.ours:
            continue
        if sample.kind == "group":
            lags[sample.name] = lags.get(sample.name, 0) + sample.depth
            if sample.oldest_s is not None:
                waited[sample.name] = max(waited.get(sample.name, 0.0), sample.oldest_s)
            continue
        depths[sample.name] = depths.get(sample.name, 0) + sample.depth
        if sample.consumers is not None:
            consumers[sample.name] = min(consumers.get(sample.name, sample.consumers), sample.consumers)
        if sample.oldest_s is not None:
            oldest[sample.name] = max(oldest.get(sample.name, 0.0), sample.oldest_s)
    telemetry.replace(metrics.ALERTS_QUEUE, depths)
    telemetry.replace(metrics.ALERTS_QUEUE_CONSUMERS, consumers)
    telemetry.replace(metrics.ALERTS_QUEUE_OLDEST, oldest)
    telemetry.replace(metrics.ALERTS_GROUP_LAG, lags)
    telemetry.replace(metrics.ALERTS_GROUP_OLDEST, waited)
