"""Windows of all widths from base windows: each sum counted anew, each start where it belongs."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.windows import BASE_MS, WIDTHS_MS
from pipeline.store.rolling import STARTS, StartTexts, rolled

_WINDOWS = st.dictionaries(
    st.integers(0, 500).map(lambda number: number * BASE_MS), st.integers(0, 10**6), min_size=1, max_size=20
)


@given(_WINDOWS)
def test_every_width_holds_the_sums_of_the_base_windows_once(windows: dict[int, int]) -> None:
    found: dict[str, Counter[int]] = {width: Counter() for width in WIDTHS_MS}
    seen: set[tuple[str, int]] = set()
    for starts, value in rolled(windows, lambda a, b: a + b):
        assert len(starts) == len(STARTS)
        for width, start in zip(WIDTHS_MS, starts, strict=True):
            if start is not None:
                assert (width, start) not in seen
                seen.add((width, start))
                found[width][start] += value
    for width, width_ms in WIDTHS_MS.items():
        counted: Counter[int] = Counter()
        for start, value in windows.items():
            counted[start - start % width_ms] += value
        assert found[width] == counted


def test_a_lone_window_is_one_row_for_all_widths() -> None:
    assert list(rolled({25 * BASE_MS: "v"}, lambda a, b: a)) == [((25 * BASE_MS, 24 * BASE_MS, 0), "v")]


def test_starts_are_written_as_copy_reads_them() -> None:
    assert StartTexts()[None, 3_600_000, 0] == "\\N\t1970-01-01 01:00:00.000+00\t1970-01-01 00:00:00.000+00"
