"""Does a store hold what the simulation published? Every window cell, pair, start in flight and dead letter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from pipeline.simulator.truth import Measure, Truth, Window

COUNTS = ("started", "ok", "failed", "aborted", "bytes", "bytes_ok", "bytes_moved")
MEASURES = ("streaming", "total", "srm_prep", "srm_fin", "checksum_src", "checksum_dst", "throughput")


class Stored(Protocol):
    """What a store holds (``pipeline.store.readback.Contents``)."""

    @property
    def windows(self) -> Mapping[str, Mapping[tuple[Any, ...], Mapping[str, Any]]]: ...
    @property
    def pairs(self) -> Mapping[tuple[str, str, int], tuple[str, int]]: ...
    @property
    def in_flight(self) -> set[tuple[str, str, int]]: ...
    @property
    def dead(self) -> Mapping[str, int]: ...


def differences(truth: Truth, stored: Stored) -> Iterator[str]:
    """A sentence for each thing in which a store differs from the truth; nothing when all is equal."""
    for width, expected in truth.windows.items():
        found = stored.windows[width]
        wanted = {tuple(key): _row(window) for key, window in expected.items()}
        for key in sorted(found.keys() | wanted.keys()):
            mine, theirs = found.get(key), wanted.get(key)
            if mine is None or theirs is None:
                yield f"window {width} {key}: {'not stored' if mine is None else 'should not be there'}"
                continue
            for name, value in theirs.items():
                if mine[name] != value:
                    yield f"window {width} {key}: {name} is {mine[name]}, should be {value}"
    yield from _compare("pair", stored.pairs, truth.pairs)
    yield from _compare("dead letters", stored.dead, truth.dead)
    for start in sorted(stored.in_flight ^ truth.in_flight):
        yield f"in flight {start}: {'should not be there' if start in stored.in_flight else 'not stored'}"


def cells(truth: Truth) -> int:
    """How many window cells ``differences`` compares."""
    return sum(len(windows) for windows in truth.windows.values()) * (len(COUNTS) + 4 * len(MEASURES))


def _compare(what: str, stored: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> Iterator[str]:
    for key in sorted(stored.keys() | wanted.keys()):
        if stored.get(key) != wanted.get(key):
            yield f"{what} {key}: {stored.get(key)}, should be {wanted.get(key)}"


def _row(window: Window) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(window, name) for name in COUNTS}
    for name in MEASURES:
        measure = window.measures.get(name, Measure())
        row[name] = (measure.count, measure.sum, measure.min, measure.max)
    return row
