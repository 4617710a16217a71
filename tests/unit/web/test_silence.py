"""Gaps, means, series left out and targets: what pictures do with times of which nothing is known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.store.queries.gaps import Source
from pipeline.web.filters import DAY_MS, HOUR_MS, Span
from pipeline.web.pages.axis import WIDE, TimeAxis
from pipeline.web.pages.charts import outcomes, throughput
from pipeline.web.pages.lines import efficiency, plot
from pipeline.web.pages.marks import gaps, unfinished
from pipeline.web.pages.rates import read_rate
from pipeline.web.pages.silence import NEVER, Silence, together
from pipeline.web.problems import Problem

MINUTE = 60_000
BIN = 10 * MINUTE
START = 1_795_347_600_000  # 2026-11-22 11:40
SPAN = Span(START, START + 6 * BIN, "10m")
LATER = START + DAY_MS
VOS = ("atlas", "cms", "lhcb")


def at(window: float) -> datetime:
    return datetime.fromtimestamp((START + window * BIN) / 1000, UTC)


def source(name: str, first: float, *gaps: tuple[float, float]) -> Source:
    return Source(name, ("fts",), at(first), tuple((at(begin), at(end)) for begin, end in gaps))


def windows(*times: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    return tuple((START + begin * BIN, START + end * BIN) for begin, end in times)


def moved(window: int, vo: str, mb_s: int) -> dict[str, Any]:
    return {"window_start": at(window), "vo": vo, "throughput": mb_s * 1e6, "bytes_moved": mb_s * 600_000_000}


def ended(window: int, ok: int, failed: int) -> dict[str, Any]:
    return {"window_start": at(window), "technology": "fts", "ok": ok, "failed": failed, "aborted": 0}


@pytest.mark.parametrize(
    ("sources", "silent"),
    [
        ([source("a", -9, (1, 3))], [(1, 3)]),
        ([source("a", -9, (1, 3)), source("b", -9)], []),
        ([source("a", -9, (1, 4)), source("b", -9, (0, 2), (3, 6))], [(1, 2), (3, 4)]),
        ([source("a", -9, (1, 4)), source("b", 3)], [(1, 3)]),
        ([source("a", -9, (1, 3), (3, 4)), source("b", -9, (1, 4))], [(1, 4)]),
    ],
    ids=["one", "another is heard", "both", "not known yet", "joined"],
)
def test_nothing_was_received_when_all_known_sources_were_silent(
    sources: list[Source], silent: list[tuple[int, int]]
) -> None:
    assert together(sources) == Silence(windows(*silent), START - 9 * BIN)


def test_without_a_source_nothing_is_said() -> None:
    assert together([]) == NEVER
    assert not NEVER.hides(START, START + BIN)


def test_a_gap_is_outside_the_mean_and_an_idle_window_is_0_in_it() -> None:
    rows = [moved(0, "cms", 30), moved(1, "cms", 10)]
    gap = Silence(windows((2, 4)), START)
    heard, missed = (throughput(rows, "vo", VOS, SPAN, LATER, silence=each) for each in (NEVER, gap))
    assert heard.mean == pytest.approx(40e6 / 6)
    assert heard.about == "1 h mean 6.67 MB/s"
    assert (missed.mean, missed.about) == (10e6, "40 min 00 s mean 10.0 MB/s")
    assert (missed.legend[0].last, missed.legend[0].mean, missed.legend[0].largest) == (0, 10e6, 30e6)
    assert missed.data["unknown"] == missed.data["silent"] == [START + 2 * BIN, START + 3 * BIN]
    assert [(band.x, band.width) for band in missed.gaps] == [(320, 320)]
    assert missed.gaps[0].text == "no data received from 2026-11-22 12:00Z to 2026-11-22 12:20Z"
    assert heard.gaps == []


def test_what_lies_before_anything_was_heard_is_unknown_and_not_0() -> None:
    chart = outcomes([ended(4, 3, 1)], SPAN, LATER, silence=Silence((), START + 3 * BIN))
    assert chart.data["unknown"] == [START, START + BIN, START + 2 * BIN]
    assert chart.legend[0].mean == 1
    assert chart.gaps == []


def test_a_window_that_was_silent_for_a_part_is_known_and_hatched_as_long_as_it_was() -> None:
    hours = Span(START - 40 * MINUTE, START - 40 * MINUTE + 4 * HOUR_MS, "1h")
    silence = Silence(windows((0, 2)), 0)
    chart = outcomes([], hours, LATER, silence=silence)
    assert chart.data["silent"] == [hours.from_ms]
    assert chart.data["unknown"] == []
    assert [(band.x, band.width) for band in chart.gaps] == [(160, 80)]


def test_a_value_in_a_silent_window_is_shown() -> None:
    chart = throughput([moved(2, "cms", 6)], "vo", VOS, SPAN, LATER, silence=Silence(windows((1, 4)), START))
    assert [bar.x for bar in chart.bars] == [320]
    assert chart.mean == 6e6 / 4


def test_lines_break_at_gaps_and_have_the_unfinished_window_outside_their_values() -> None:
    now_ms = START + 4 * BIN + MINUTE
    found = efficiency(
        [ended(0, 1, 1), ended(3, 3, 1), ended(4, 1, 0)], SPAN, BIN, now_ms, silence=Silence(windows((1, 3)), 0)
    )
    assert found is not None
    (line,) = found.lines
    assert len(line.paths) == 2
    assert (line.last, line.least, line.largest) == (0.75, 0.5, 0.75)
    assert [(band.x, band.width) for band in found.gaps] == [(160, 320)]
    assert found.unfinished is not None
    assert (found.unfinished.x, found.unfinished.width) == (640, 16)


def test_a_band_is_cut_at_the_picture_and_absent_beyond_it() -> None:
    axis = TimeAxis.of(SPAN, WIDE)
    assert [(each.x, each.width) for each in gaps(Silence(windows((-4, 1), (5, 9))), SPAN, axis)] == [
        (0, 160),
        (800, 160),
    ]
    assert gaps(Silence(windows((-4, 0), (6, 9))), SPAN, axis) == []
    assert unfinished(SPAN, axis, BIN, LATER) is None


def test_hiding_a_series_recolours_and_reorders_nothing_and_keeps_its_numbers() -> None:
    rows = [moved(0, vo, mb) for vo, mb in (("cms", 20), ("lhcb", 5), ("atlas", 70))]
    every, less = (throughput(rows, "vo", VOS, SPAN, LATER, hidden=each) for each in ((), ("atlas",)))
    assert [(each.name, each.colour) for each in less.legend] == [(each.name, each.colour) for each in every.legend]
    assert [each.total for each in less.legend] == [each.total for each in every.legend]
    assert [each.hidden for each in less.legend] == [True, False, False]
    assert [bar.colour for bar in less.bars] == ["s1", "s2"]
    assert (every.data["top"], less.data["top"]) == (100e6, 25e6)
    assert [each["hidden"] for each in less.data["series"]] == [True, False, False]
    assert less.about.endswith(", of the series shown")
    nothing = throughput(rows, "vo", VOS, SPAN, LATER, hidden=VOS)
    assert nothing.bars == []


def test_a_hidden_line_keeps_its_row_and_style_and_leaves_the_axis() -> None:
    lines = {"a": {START: 900.0}, "b": {START: 8.0}}
    found = plot(lines, SPAN, BIN, kind="count", now_ms=LATER, hidden=["a"])
    assert [(each.style, each.paths, each.largest) for each in found.lines] == [
        ("l0", [], 900),
        ("l1", ["M0 0H160"], 8),
    ]


def test_a_target_is_within_the_picture_and_told_beside_the_mean() -> None:
    rows = [moved(window, "cms", 18) for window in range(6)]
    chart = throughput(rows, "vo", VOS, SPAN, LATER, target=20e6)
    assert chart.about == "1 h mean 18.0 MB/s, 90 % of the target 20.0 MB/s"
    assert [(each.name, each.place, each.label) for each in chart.levels] == [
        ("mean", 18, "18.0 MB/s"),
        ("target", 0, "20.0 MB/s"),
    ]
    far = throughput(rows, "vo", VOS, SPAN, LATER, target=1e9)
    assert far.about.endswith("1.8 % of the target 1.00 GB/s")
    assert far.data["across"] == {"mean": 18e6, "target": 1e9}


def test_the_unfinished_window_is_outside_the_mean() -> None:
    rows = [moved(0, "cms", 10), moved(1, "cms", 700)]
    chart = throughput(rows, "vo", VOS, SPAN, START + BIN + MINUTE)
    assert (chart.mean, chart.over_ms) == (10e6, BIN)
    assert throughput(rows, "vo", VOS, SPAN, START + MINUTE).about == "no finished bin has data"


def test_lengths_are_told_in_whole_hours_and_days() -> None:
    for length_ms, width, words in ((24 * HOUR_MS, "10m", "24 h"), (7 * DAY_MS, "1h", "7 d")):
        span = Span(START, START + length_ms, width)
        assert throughput([], "vo", VOS, span, START + 9 * DAY_MS).about == f"{words} mean 0 B/s"


@pytest.mark.parametrize(
    ("written", "rate"),
    [("20MB/s", 20e6), (" 1.5 GB/s ", 1.5e9), ("500kB", 5e5), ("3T", 3e12), ("5000000", 5e6), ("7 B/s", 7)],
)
def test_a_rate_is_decimal_with_or_without_its_unit(written: str, rate: float) -> None:
    assert read_rate("target", written) == rate


@pytest.mark.parametrize("written", ["20 Mb/s", "20 MiB/s", "-5MB", "0", "fast", "1e3", "5 MB/h", "١MB"])
def test_bits_binary_prefixes_and_what_is_no_rate_are_refused(written: str) -> None:
    with pytest.raises(Problem, match=r"target: .* is no rate in bytes"):
        read_rate("target", written)
