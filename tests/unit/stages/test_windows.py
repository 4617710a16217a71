"""Windows: whole bytes spread exactly, each count in the window of its time, deltas that add up in any order."""

from __future__ import annotations

from collections import Counter
from functools import reduce
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.windows import (
    BASE_MS,
    COUNTERS,
    WIDTHS_MS,
    Delta,
    Deltas,
    LinkKey,
    add_complete,
    delta_of,
    roll_up,
    spread,
)
from schemas.events import STAGES
from schemas.histogram import BINS_PER_MEASURE, bin_of
from tests.support.fts_messages import DAY, HOUR, SECOND, T, complete

TOTALS = st.integers(min_value=0, max_value=2**53)
BEGINS = st.integers(min_value=1, max_value=T)
DURATIONS = st.one_of(st.integers(min_value=1, max_value=3 * BASE_MS), st.integers(min_value=1, max_value=7 * DAY))
LINK = LinkKey("fts", "f", "atlas", "c", "a", "b", "A", "B", "FR", "DE")


@pytest.mark.parametrize(
    ("total", "begin", "end", "pieces"),
    [
        (10, 599_999, 600_002, [(0, 3), (600_000, 7)]),
        (1000, 0, BASE_MS, [(0, 1000)]),
        (1000, 0, BASE_MS + 1, [(0, 999), (BASE_MS, 1)]),
        (1000, BASE_MS - 1, BASE_MS, [(0, 1000)]),
        (3, 0, 2 * BASE_MS, [(0, 1), (BASE_MS, 2)]),
        (1, 0, 3 * BASE_MS, [(2 * BASE_MS, 1)]),  # windows that get nothing are left out
        (0, 0, 3 * BASE_MS, []),
        (10 * 1000**4, 0, 2 * BASE_MS, [(0, 5 * 1000**4), (BASE_MS, 5 * 1000**4)]),
    ],
)
def test_known_cuts(total: int, begin: int, end: int, pieces: list[tuple[int, int]]) -> None:
    assert list(spread(total, begin, end)) == pieces


@given(TOTALS, BEGINS, DURATIONS, st.sampled_from(sorted(WIDTHS_MS.values())))
def test_the_pieces_are_the_total_to_the_byte_and_lie_in_windows_of_the_interval(
    total: int, begin: int, duration: int, width: int
) -> None:
    pieces = list(spread(total, begin, begin + duration, width))
    assert sum(moved for _, moved in pieces) == total
    assert all(moved > 0 for _, moved in pieces)
    windows = [window for window, _ in pieces]
    assert windows == sorted(set(windows))
    for window in windows:
        assert window % width == 0
        assert window < begin + duration
        assert window + width > begin


@given(TOTALS, BEGINS, DURATIONS)
def test_until_each_edge_the_floor_of_the_share_has_moved(total: int, begin: int, duration: int) -> None:
    pieces = dict(spread(total, begin, begin + duration))
    moved = 0
    for window in range(begin - begin % BASE_MS, begin + duration, BASE_MS):
        moved += pieces.get(window, 0)
        elapsed = min(window + BASE_MS - begin, duration)
        assert moved == total * elapsed // duration


@given(TOTALS, BEGINS, DURATIONS)
def test_hours_and_days_are_the_sums_of_their_base_windows(total: int, begin: int, duration: int) -> None:
    for width in WIDTHS_MS.values():
        summed: Counter[int] = Counter()
        for window, moved in spread(total, begin, begin + duration):
            summed[window - window % width] += moved
        assert summed == Counter(dict(spread(total, begin, begin + duration, width)))


def counters(windows: dict[int, Delta], window: int = T) -> dict[str, int]:
    return {name: n for name, n in zip(COUNTERS, windows[window].counters, strict=True) if n}


def folded(**changes: Any) -> dict[int, Delta]:
    windows: dict[int, Delta] = {}
    add_complete(windows, complete(received_ms=T + 2 * DAY, **changes))
    return windows


def test_an_ok_transfer_counts_with_its_bytes_and_stages() -> None:
    windows = folded()
    assert counters(windows) == {"ok": 1, "bytes": 1000, "bytes_ok": 1000, "bytes_moved": 1000}
    assert windows[T].histogram() == {
        0 * BINS_PER_MEASURE + bin_of(40_000): 1,
        1 * BINS_PER_MEASURE + bin_of(60_000): 1,
        6 * BINS_PER_MEASURE + bin_of(25): 1,
    }


@pytest.mark.parametrize(("state", "count"), [("Error", "failed"), ("Abort", "aborted")])
def test_one_that_is_not_ok_counts_its_bytes_but_no_stages(state: str, count: str) -> None:
    windows = folded(t_final_transfer_state=state)
    assert counters(windows) == {count: 1, "bytes": 1000, "bytes_moved": 1000}
    assert windows[T].histogram() == {}


@pytest.mark.parametrize(
    ("begin", "end", "counter"),
    [(0, 0, "interval_none"), (T, T, "interval_empty"), (T - 8 * DAY, T, "interval_ignored")],
)
def test_bytes_without_a_believable_interval_move_at_the_event_time_and_that_is_counted(
    begin: int, end: int, counter: str
) -> None:
    windows = folded(timestamp_tr_st=begin, timestamp_tr_comp=end, t_final_transfer_state="Error")
    assert list(windows) == [T]
    assert counters(windows) == {"failed": 1, "bytes": 1000, "bytes_moved": 1000, counter: 1}


def test_bytes_move_where_they_streamed_and_the_transfer_counts_where_it_ended() -> None:
    windows = folded(timestamp_tr_st=T - BASE_MS, timestamp_tr_comp=T + 30 * SECOND, tr_bt_transfered=1260)
    assert counters(windows, T - BASE_MS) == {"bytes_moved": 1200}
    assert counters(windows, T) == {"ok": 1, "bytes": 1260, "bytes_ok": 1260, "bytes_moved": 60}


def test_bytes_that_streamed_in_another_window_leave_none_in_that_of_the_end() -> None:
    windows = folded(timestamp_tr_st=T - HOUR, timestamp_tr_comp=T - HOUR + 1)
    assert counters(windows, T - HOUR) == {"bytes_moved": 1000}
    assert counters(windows, T) == {"ok": 1, "bytes": 1000, "bytes_ok": 1000}


def test_the_end_of_a_window_belongs_to_the_next() -> None:
    assert list(folded(timestamp_tr_st=T - BASE_MS, timestamp_tr_comp=T, tr_timestamp_complete=T - 1)) == [T - BASE_MS]
    assert list(folded(timestamp_tr_st=0, tr_timestamp_complete=T)) == [T]


COMPLETES = st.lists(
    st.builds(
        complete,
        tr_bt_transfered=st.integers(min_value=0, max_value=10**6),
        t_final_transfer_state=st.sampled_from(["Ok", "Ok", "Error", "Abort"]),
        tr_timestamp_complete=st.integers(min_value=T, max_value=T + HOUR),
        timestamp_tr_st=st.one_of(st.just(0), st.integers(min_value=T - HOUR, max_value=T + HOUR)),
        timestamp_tr_comp=st.one_of(st.just(0), st.integers(min_value=T - HOUR, max_value=T + HOUR)),
        time_srm_prep_st=st.just(T),
        time_srm_prep_end=st.integers(min_value=T, max_value=T + 100),
    ),
    max_size=8,
)


@given(COMPLETES, st.integers(min_value=0, max_value=8))
@settings(max_examples=60)
def test_batches_add_up_to_the_whole_in_any_split(completes: list[Any], cut: int) -> None:
    whole, first, second = ({} for _ in range(3))  # type: dict[int, Delta], dict[int, Delta], dict[int, Delta]
    for ended in completes:
        add_complete(whole, ended)
    for ended in completes[cut:]:
        add_complete(second, ended)
    for ended in completes[:cut]:
        add_complete(first, ended)
    for window, delta in first.items():
        delta_of(second, window).merge(delta)
    assert state_of({LINK: second}) == state_of({LINK: whole})
    assert sum(d.counters[COUNTERS.index("bytes_moved")] for d in whole.values()) == sum(c.bytes for c in completes)


@given(COMPLETES)
@settings(max_examples=60)
def test_wider_windows_are_the_sums_of_narrower_ones(completes: list[Any]) -> None:
    base: dict[int, Delta] = {}
    for ended in completes:
        add_complete(base, ended)
    hours = roll_up({LINK: base}, WIDTHS_MS["1h"])
    assert state_of(roll_up(hours, WIDTHS_MS["1d"])) == state_of(roll_up({LINK: base}, WIDTHS_MS["1d"]))
    assert all(window % HOUR == 0 for window in hours[LINK])
    assert totals(hours[LINK]) == totals(base)


def state_of(deltas: Deltas) -> Any:
    return {
        link: {
            window: (delta.counters, [sorted(values) for values in delta.stages or [[]] * len(STAGES)])
            for window, delta in windows.items()
        }
        for link, windows in deltas.items()
    }


def totals(windows: dict[int, Delta]) -> list[int]:
    return reduce(
        lambda a, b: [x + y for x, y in zip(a, b, strict=True)],
        (delta.counters for delta in windows.values()),
        [0] * len(COUNTERS),
    )


@given(st.lists(st.integers(min_value=0, max_value=2**62), max_size=30), st.integers(min_value=0, max_value=6))
def test_a_histogram_holds_every_value_under_the_code_of_its_stage(values: list[int], stage: int) -> None:
    delta = Delta()
    for value in values:
        delta.add_stages(tuple(value if n == stage else None for n in range(len(STAGES))))
    counts = delta.histogram()
    assert sum(counts.values()) == len(values)
    assert list(counts) == sorted(counts)
    assert {code // BINS_PER_MEASURE for code in counts} <= {stage}
    assert counts == Counter(stage * BINS_PER_MEASURE + bin_of(value) for value in values)
