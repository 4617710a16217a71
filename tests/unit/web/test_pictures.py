"""Axes, bars, lines and units of pages: numbers in, places out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.web.filters import DAY_MS, HOUR_MS, Span
from pipeline.web.pages.axis import NARROW, WIDE, TimeAxis, round_up, round_up_count
from pipeline.web.pages.charts import outcomes
from pipeline.web.pages.lines import efficiency, plot
from pipeline.web.pages.transfers import lengths

MINUTE = 60_000
START = 1_795_347_600_000  # 2026-11-22 11:40
BIN = 10 * MINUTE


def row(window: int, ok: int, failed: int, **other: Any) -> dict[str, Any]:
    start = datetime.fromtimestamp((START + window * BIN) / 1000, UTC)
    return {"window_start": start, "technology": "fts", "ok": ok, "failed": failed, "aborted": 0} | other


@pytest.mark.parametrize(
    ("length_ms", "labels"),
    [
        (HOUR_MS, ["11:40", "11:50", "12:00", "12:10", "12:20", "12:30"]),
        (12 * HOUR_MS, [f"{hour}:00" for hour in range(12, 24)]),
        (
            24 * HOUR_MS,
            [*(f"{hour}:00" for hour in range(12, 24, 2)), "11-23", *(f"{hour:02}:00" for hour in range(2, 12, 2))],
        ),
        (7 * DAY_MS, ["11-23", "11-24", "11-25", "11-26", "11-27", "11-28", "11-29"]),
    ],
)
def test_ticks_stand_at_round_times(length_ms: int, labels: list[str]) -> None:
    axis = TimeAxis.of(Span(START, START + length_ms, "10m"), WIDE)
    assert [tick.label for tick in axis.ticks()] == labels
    for tick in axis.ticks():
        at_ms = START + tick.place / WIDE.width * length_ms
        assert at_ms % BIN == pytest.approx(0, abs=length_ms / 50_000) or BIN - at_ms % BIN < length_ms / 50_000


def test_a_narrow_picture_names_fewer() -> None:
    span = Span(START, START + 24 * HOUR_MS, "10m")
    assert (len(TimeAxis.of(span, NARROW).ticks()), len(TimeAxis.of(span, WIDE).ticks())) == (6, 12)


def test_axes_of_amounts_end_at_round_ones() -> None:
    assert [round_up(value) for value in (0, 1, 3, 11, 26, 999)] == [1, 1, 5, 20, 50, 1000]


def test_axes_of_counts_have_whole_quarters() -> None:
    assert [round_up_count(value) for value in (0, 4, 5, 11, 13, 21, 160)] == [4, 4, 8, 12, 20, 40, 200]


def test_outcomes_are_stacked_and_add_up() -> None:
    span = Span(START, START + 3 * BIN, "10m")
    chart = outcomes([row(0, 6, 4), row(2, 10, 0)], span, START + 10 * BIN)
    assert [(bar.colour, bar.height, bar.y) for bar in chart.bars] == [
        ("o-ok", 90, 90),
        ("o-failed", 60, 30),
        ("o-ok", 150, 30),
    ]
    assert [(each.name, each.total, each.last) for each in chart.legend] == [
        ("ok", 16, 10),
        ("failed", 4, 0),
        ("aborted", 0, 0),
    ]


def test_efficiency_has_a_gap_where_nothing_finished_and_none_for_who_reports_no_failures() -> None:
    span = Span(START, START + 5 * BIN, "10m")
    rows = [row(0, 1, 1), row(0, 1, 1), row(1, 3, 1), row(2, 0, 0), row(4, 1, 0)]
    found = efficiency(rows, span, BIN, START + 10 * BIN)
    assert found is not None
    (line,) = found.lines
    assert line.paths == ["M0 90H192V45H384", "M768 0H960"]
    assert (line.last, line.least, line.largest) == (1, 0.5, 1)
    assert efficiency([row(0, 5, 0, technology="xrootd")], span, BIN, START + 10 * BIN) is None


def test_a_limit_is_within_the_picture_even_when_no_value_comes_near() -> None:
    span = Span(START, START + 2 * BIN, "10m")
    found = plot({"depth": {START: 10.0}}, span, BIN, kind="count", now_ms=START + BIN // 2, limit=5000)
    assert found.levels == [("limit", 67.5, "5 000")]
    assert found.lines[0].paths == ["M0 179.78H240"], "the window that holds now ends now"


def test_stages_are_as_long_as_they_took_and_absent_when_not_told() -> None:
    stages = dict.fromkeys(("checksum_src_ms", "srm_prep_ms", "srm_fin_ms", "checksum_dst_ms"))
    found = lengths({"total_ms": 60_000, "streaming_ms": 45_000, **stages})
    assert found is not None
    assert [(each.name, each.width, each.text) for each in found.rows] == [
        ("whole attempt", 640, "1 min 00 s"),
        ("streaming", 480, "45.0 s"),
    ]
    assert [tick.label for tick in found.ticks] == [
        "0 ms",
        "10.0 s",
        "20.0 s",
        "30.0 s",
        "40.0 s",
        "50.0 s",
        "1 min 00 s",
    ]
    assert lengths({"total_ms": None, "streaming_ms": None, **stages}) is None
