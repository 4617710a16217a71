"""Queue samples of a batch: of each key and instant the one that counts, whatever message it came in."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.stages.windows import LinkKey
from schemas.events import QueueReport, QueueSample

Samples = dict[tuple[LinkKey, int], QueueSample]
"""By what is sampled and when, ms. The technology of a key is ``""``: a sample is no transfer of any."""


def merge(reports: Iterable[QueueReport]) -> Samples:
    """The samples of all reports; of two of one key and instant that with the larger rank."""
    samples: Samples = {}
    for report in reports:
        for sample in report.samples:
            vo, channel, src_host, dst_host = sample[:4]
            key = LinkKey("", report.fts, vo, channel, src_host, dst_host, "", "", "", ""), report.event_ms
            seen = samples.get(key)
            if seen is None or sample.rank > seen.rank:
                samples[key] = sample
    return samples
