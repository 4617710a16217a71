"""What a soak looks at again and again: memory, open files, connections, sizes; and whether it is flat."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pipeline.cli.bench_report import Figure
from pipeline.cli.resources import open_files, resident_mb
from pipeline.store.footprint import footprint
from pipeline.store.session import Connection

MEMORY, FILES, CONNECTIONS, DATABASE, LOG, RATE = (
    "memory of {}",
    "open files of {}",
    "connections to PostgreSQL",
    "database for a message",
    "write-ahead log kept",
    "messages committed",
)
_UNITS = {MEMORY: "MB", FILES: "", CONNECTIONS: "", DATABASE: "kB", LOG: "MB", RATE: "messages/s"}
_MOST_RATIO = 1.1
_LEAST_RATE_RATIO = 0.8


class Sample(NamedTuple):
    """One look: seconds since the beginning, messages committed until then, and each series' value in its unit."""

    at_s: float
    committed: int
    values: dict[str, float]


def look(at_s: float, committed: int, before: Sample | None, pids: Mapping[str, int], store: Connection) -> Sample:
    """A sample of these processes and of the store. ``before`` is the one before it: rates are between the two."""
    found = footprint(store)
    values = {CONNECTIONS: float(found.connections), LOG: found.log_bytes / 1e6}
    if committed:
        values[DATABASE] = found.database_bytes / committed / 1e3
    if before is not None and at_s > before.at_s:
        values[RATE] = (committed - before.committed) / (at_s - before.at_s)
    for name, pid in pids.items():
        values[MEMORY.format(name)] = resident_mb(pid)
        values[FILES.format(name)] = float(open_files(pid))
    return Sample(at_s, committed, values)


def unit_of(series: str) -> str:
    """The unit of a series' values."""
    return next((unit for name, unit in _UNITS.items() if series.startswith(name.partition("{")[0])), "")


def figures(samples: Sequence[Sample], messages: int) -> Iterator[Figure]:
    """Each series in the last quarter of the messages, and held against the second quarter: flat is about 1.

    The first quarter is left out: caches fill, partitions are made.
    """
    second = [each for each in samples if 0.25 <= each.committed / messages < 0.5]
    last = [each for each in samples if 0.75 <= each.committed / messages < 1]
    for name in dict.fromkeys(name for each in samples for name in each.values):
        early, late = (_level(name, part) for part in (second, last))
        if not early or late is None:
            continue
        yield Figure(name, late, unit_of(name))
        goal = _LEAST_RATE_RATIO if name == RATE else _MOST_RATIO
        yield Figure(f"{name}: last quarter to second", late / early, "", goal, lower_is_better=name != RATE)


def _level(name: str, part: Sequence[Sample]) -> float | None:
    """The median: a sample is taken in the middle of whatever a process does."""
    values = [each.values[name] for each in part if name in each.values]
    return statistics.median(values) if values else None
