"""What reports on queues must leave: each line once, and its windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pipeline.simulator.queues import QueueReport
from pipeline.simulator.windows import window_start


class SampleKey(NamedTuple):
    """A line of a queue at an instant."""

    fts: str
    at_ms: int
    vo: str
    channel: str
    src_host: str
    dst_host: str


class QueueKey(NamedTuple):
    """A window of a line."""

    start_ms: int
    fts: str
    vo: str
    channel: str
    src_host: str
    dst_host: str


Figures = tuple[int, int, float | None]
"""Active, ready, ratio in %."""
Summary = tuple[float | None, float | None, float | None]
"""Last, mean and largest of one figure."""


class QueueWindow(NamedTuple):
    """What the samples of a line were in a window."""

    samples: int
    active: Summary
    ready: Summary
    ratio: Summary


class QueueTally:
    """Keeps the samples of all reports. One that is told twice counts with the larger (active, ready)."""

    def __init__(self) -> None:
        self.samples: dict[SampleKey, Figures] = {}
        self._reports: set[tuple[str, int, frozenset[SampleKey]]] = set()

    def add(self, report: QueueReport) -> bool:
        """Take a report in; whether it is none that came before, which is one of the same lines at the same instant."""
        keys = []
        for sample in report.samples:
            key = SampleKey(report.fts, report.at_ms, sample.vo, sample.channel, sample.src_host, sample.dst_host)
            keys.append(key)
            figures = (sample.active, sample.ready, sample.ratio)
            if key not in self.samples or _rank(figures) > _rank(self.samples[key]):
                self.samples[key] = figures
        which = (report.fts, report.at_ms, frozenset(keys))
        if which in self._reports:
            return False
        self._reports.add(which)
        return True


def queue_windows(samples: Mapping[SampleKey, Figures]) -> dict[QueueKey, QueueWindow]:
    """The windows of all samples."""
    lines: dict[QueueKey, list[Figures]] = {}
    for key, figures in sorted(samples.items(), key=lambda item: item[0].at_ms):
        window = QueueKey(window_start(key.at_ms), key.fts, *key[2:])
        lines.setdefault(window, []).append(figures)
    return {
        key: QueueWindow(
            len(line),
            _summary([active for active, _, _ in line]),
            _summary([ready for _, ready, _ in line]),
            _summary([ratio for _, _, ratio in line if ratio is not None]),
        )
        for key, line in lines.items()
    }


def _summary(values: list[int] | list[float]) -> Summary:
    return (values[-1], sum(values) / len(values), max(values)) if values else (None, None, None)


def _rank(figures: Figures) -> tuple[int, int, float]:
    active, ready, ratio = figures
    return active, ready, -1 if ratio is None else ratio
