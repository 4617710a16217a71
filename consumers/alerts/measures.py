"""What waits, as the alerter's samples tell the metrics: by queue, over all brokers."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.store.backlog import Sample
from pipeline.telemetry import metrics
from pipeline.telemetry.telemetry import Telemetry


def measure(telemetry: Telemetry, samples: Iterable[Sample]) -> None:
    """These samples take the place of those before; what was not sampled is not known."""
    depths: dict[str, float] = {}
    consumers: dict[str, float] = {}
    oldest: dict[str, float] = {}
    lags: dict[str, float] = {}
    for sample in samples:
        if sample.depth is None:
            continue
        if sample.kind == "group":
            lags[sample.name] = lags.get(sample.name, 0) + sample.depth
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
