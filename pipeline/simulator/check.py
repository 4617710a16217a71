"""Does a store hold what the simulation published? Every cell, pair, start in flight and dead letter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from pipeline.simulator.truth import StateWindow, Truth
from pipeline.simulator.windows import WIDTHS_MS, Measure, Window

COUNTS = ("started", "ok", "failed", "aborted", "bytes", "bytes_ok", "bytes_moved")
MEASURES = ("streaming", "total", "srm_prep", "srm_fin", "checksum_src", "checksum_dst", "throughput")
_DIGITS = 6
"""Means are compared to so many: the sum of fractions depends on their order."""

Rows = Mapping[tuple[Any, ...], Mapping[str, Any]]


class Stored(Protocol):
    """What a store holds (``pipeline.store.readback.Contents``)."""

    @property
    def windows(self) -> Mapping[str, Rows]: ...
    @property
    def endpoints(self) -> Mapping[str, Rows]: ...
    @property
    def activities(self) -> Mapping[str, Rows]: ...
    @property
    def errors(self) -> Rows: ...
    @property
    def states(self) -> Rows: ...
    @property
    def samples(self) -> Rows: ...
    @property
    def queues(self) -> Rows: ...
    @property
    def pairs(self) -> Mapping[tuple[str, str, int], tuple[str, int]]: ...
    @property
    def in_flight(self) -> set[tuple[str, str, int]]: ...
    @property
    def closed(self) -> set[tuple[str, str, int]]: ...
    @property
    def dead(self) -> Mapping[str, int]: ...


def differences(truth: Truth, stored: Stored) -> Iterator[str]:
    """A sentence for each thing in which a store differs from the truth; nothing when all is equal."""
    found = _found(stored)
    for name, wanted in _wanted(truth).items():
        yield from _rows_that_differ(name, found[name], wanted)
    yield from _compare("pair", stored.pairs, truth.pairs)
    yield from _compare("dead letters", stored.dead, truth.dead)
    for what, mine, theirs in (
        ("in flight", stored.in_flight, truth.in_flight),
        ("closed by state", stored.closed, truth.closed),
    ):
        for start in sorted(mine ^ theirs):
            yield f"{what} {start}: {'should not be there' if start in mine else 'not stored'}"


def cells(truth: Truth) -> int:
    """How many cells of windows and queue samples ``differences`` compares."""
    return sum(len(row) for rows in _wanted(truth).values() for row in rows.values())


def _found(stored: Stored) -> dict[str, Rows]:
    by_width = {"window": stored.windows, "endpoints": stored.endpoints, "activity": stored.activities}
    return {f"{name} {width}": of_width[width] for name, of_width in by_width.items() for width in WIDTHS_MS} | {
        "errors": stored.errors,
        "file states": stored.states,
        "queue sample": stored.samples,
        "queue": stored.queues,
    }


def _wanted(truth: Truth) -> dict[str, dict[tuple[Any, ...], dict[str, Any]]]:
    """The tables of the truth as rows with the cells of the store's views."""
    wanted: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    for width in WIDTHS_MS:
        wanted[f"window {width}"] = {
            tuple(key): _counts(window) | _measures(window) for key, window in truth.windows[width].items()
        }
        wanted[f"endpoints {width}"] = {tuple(key): _counts(window) for key, window in truth.endpoints[width].items()}
        wanted[f"activity {width}"] = {tuple(key): _counts(window) for key, window in truth.activities[width].items()}
    wanted["errors"] = {tuple(key): {"count": number} for key, number in truth.errors.items()}
    wanted["file states"] = {tuple(key): _of_states(window) for key, window in truth.states.items()}
    wanted["queue sample"] = {
        (key.at_ms, key.fts, *key[2:]): dict(zip(("active", "ready", "ratio"), figures, strict=True))
        for key, figures in truth.samples.items()
    }
    wanted["queue"] = {
        tuple(key): {"samples": window.samples}
        | {
            f"{name}_{what}": value
            for name in ("active", "ready", "ratio")
            for what, value in zip(("last", "avg", "max"), getattr(window, name), strict=True)
        }
        for key, window in truth.queues.items()
    }
    return wanted


def _rows_that_differ(name: str, found: Rows, wanted: Rows) -> Iterator[str]:
    for key in sorted(found.keys() | wanted.keys()):
        mine, theirs = found.get(key), wanted.get(key)
        if mine is None or theirs is None:
            yield f"{name} {key}: {'not stored' if mine is None else 'should not be there'}"
            continue
        for cell, value in theirs.items():
            if _comparable(mine[cell]) != _comparable(value):
                yield f"{name} {key}: {cell} is {mine[cell]}, should be {value}"


def _comparable(value: Any) -> Any:
    return round(value, _DIGITS) if isinstance(value, float) else value


def _compare(what: str, stored: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> Iterator[str]:
    for key in sorted(stored.keys() | wanted.keys()):
        if stored.get(key) != wanted.get(key):
            yield f"{what} {key}: {stored.get(key)}, should be {wanted.get(key)}"


def _counts(window: Window) -> dict[str, Any]:
    return {name: getattr(window, name) for name in COUNTS}


def _measures(window: Window) -> dict[str, Any]:
    return {
        cell: value for name in MEASURES for cell, value in _measure(name, window.measures.get(name, Measure())).items()
    }


def _of_states(window: StateWindow) -> dict[str, Any]:
    return {"count": window.count} | _measure("wait", window.wait) | _measure("staging", window.staging)


def _measure(name: str, measure: Measure) -> dict[str, Any]:
    return {
        f"{name}_count": measure.count,
        f"{name}_sum": measure.sum,
        f"{name}_min": measure.min,
        f"{name}_max": measure.max,
    }
