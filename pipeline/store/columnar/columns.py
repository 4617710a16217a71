"""Columns of an answer: their values, and numbers that sort as they do, with none at the end either way."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.columnar.blocks import COUNTERS, NOT_FINAL
from pipeline.store.columnar.groups import Groups
from pipeline.store.columnar.keys import LinkKeys, Names
from pipeline.store.queries.question import Question
from pipeline.store.queries.reports import REPORTS_FAILURES
from pipeline.store.queries.statement import Statement

Numbers = npt.NDArray[Any]
Places = npt.NDArray[np.intp]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_LAST = np.iinfo(np.int64).max


class Sorted(NamedTuple):
    """``keys`` rise as the rows shall; ``of`` gives the key of a value, which may be one that no row has."""

    keys: Numbers
    of: Callable[[object], Any]


class Column(NamedTuple):
    """``values`` of rows by their places, ``sorted`` by whether the largest comes first."""

    values: Callable[[Places], list[Any]]
    sorted: Callable[[bool], Sorted]


def column_of(name: str, groups: Groups, keys: LinkKeys, question: Question, asked: Statement) -> Column:
    """The column of an answer; raises KeyError for a name that is not of counters."""
    if name == question.report.time:
        assert groups.starts is not None
        return _instants(groups.starts * 1000)
    if name in groups.codes:
        return _names(groups.codes[name], keys.names[name])
    if name in COUNTERS:
        return _whole(groups.counters[name])
    if name == "links":
        assert groups.links is not None
        return _whole(groups.links)
    if name == "efficiency":
        return _fractions(_efficiency(groups, keys))
    if name == "throughput":
        return _fractions(_throughput(groups, question, asked))
    if name == "stale":
        return Column(
            lambda places: groups.stale[places].tolist(),
            lambda descending: _plain(groups.stale.astype(np.int64), descending, lambda value: int(bool(value))),
        )
    return _instants({"final_at": groups.final_at, "updated_at": groups.updated_at}[name])


def _efficiency(groups: Groups, keys: LinkKeys) -> Numbers:
    ok, failed = groups.counters["ok"], groups.counters["failed"]
    technologies = keys.names["technology"].known
    reports = np.array([name in REPORTS_FAILURES for name in technologies], np.bool_)[groups.codes["technology"]]
    tried = np.where(reports, ok + failed, 0)
    found: Numbers = np.divide(ok, tried, out=np.full(len(ok), np.nan), where=tried > 0)
    return found


def _throughput(groups: Groups, question: Question, asked: Statement) -> Numbers:
    """Bytes moved over the time that passed by now, of each window or of the range: to the last bit as SQL has it."""
    moved: Numbers = groups.counters["bytes_moved"].astype(np.float64)
    if groups.starts is not None:
        return moved / np.clip((question.now_ms - groups.starts) / 1000, 1, WIDTHS_MS[question.width] // 1000)
    assert asked.from_ms is not None
    assert asked.to_ms is not None
    return moved * 1000 / max(min(asked.to_ms, question.now_ms) - asked.from_ms, 1000)


def _whole(numbers: Numbers) -> Column:
    return Column(
        lambda places: numbers[places].tolist(),
        lambda descending: _plain(numbers, descending, lambda value: int(cast("int", value))),
    )


def _plain(numbers: Numbers, descending: bool, number: Callable[[object], int]) -> Sorted:
    sign = -1 if descending else 1
    return Sorted(sign * numbers, lambda value: _LAST if value is None else sign * number(value))


def _fractions(numbers: Numbers) -> Column:
    def sort(descending: bool) -> Sorted:
        sign = -1.0 if descending else 1.0
        keys = np.where(np.isnan(numbers), np.inf, sign * numbers)
        return Sorted(keys, lambda value: np.inf if value is None else sign * float(cast("float", value)))

    return Column(
        lambda places: [None if value != value else value for value in numbers[places].tolist()],
        sort,
    )


def _instants(us: Numbers) -> Column:
    def sort(descending: bool) -> Sorted:
        keys = np.where(us == NOT_FINAL, _LAST, -us if descending else us)
        sign = -1 if descending else 1
        return Sorted(
            keys, lambda value: _LAST if value is None else sign * ((cast("datetime", value) - _EPOCH) // _US)
        )

    def values(places: Places) -> list[Any]:
        written: dict[int, datetime | None] = {int(NOT_FINAL): None}
        found = us[places].tolist()
        for each in set(found) - written.keys():
            written[each] = _EPOCH + timedelta(microseconds=each)
        return [written[each] for each in found]

    return Column(values, sort)


def _names(codes: Numbers, names: Names) -> Column:
    known = tuple(names.known)  # others may add to it

    def sort(descending: bool) -> Sorted:
        texts = sorted({name for name in known if name is not None})
        # Even ranks, so that a name that is not there has a place between two that are.
        rank = {text: 2 * place for place, text in enumerate(texts)}
        sign = -1 if descending else 1
        by_code = np.array([_LAST if name is None else sign * rank[name] for name in known], np.int64)

        def of(value: object) -> int:
            if value is None:
                return int(_LAST)
            place = bisect_left(texts, str(value))
            return sign * (2 * place - (place == len(texts) or texts[place] != value))

        return Sorted(by_code[codes], of)

    return Column(lambda places: [known[code] for code in codes[places].tolist()], sort)
