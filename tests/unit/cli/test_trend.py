"""Which windows a sparkline asks for, and which questions have none."""

from __future__ import annotations

import pytest

from pipeline.cli.trend import MOST_WINDOWS, trend_of
from pipeline.store.queries.errors import BadQuery
from pipeline.store.queries.question import Question, parse_by, parse_condition, report_named

NOW_MS = 1_795_348_800_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def question(report: str = "links", by: str = "vo", back_ms: int | None = 2 * HOUR_MS, *where: str) -> Question:
    known = report_named(report)
    return Question(
        report=known,
        now_ms=NOW_MS,
        from_ms=None if back_ms is None else NOW_MS - back_ms,
        by=parse_by(known, [by]),
        where=tuple(parse_condition(known, condition, NOW_MS) for condition in where),
        limit=5,
    )


@pytest.mark.parametrize(
    ("back_ms", "width"),
    [
        (HOUR_MS, "10m"),
        (10 * HOUR_MS, "10m"),
        (11 * HOUR_MS, "1h"),
        (60 * HOUR_MS, "1h"),
        (7 * DAY_MS, "1d"),
        (400 * DAY_MS, "1d"),
        (None, "1d"),
    ],
)
def test_the_narrowest_windows_are_taken_that_fit(back_ms: int | None, width: str) -> None:
    assert trend_of(question(back_ms=back_ms), "bytes", None).width == width


@pytest.mark.parametrize(("room", "drawn"), [(-5, 24), (24, 24), (40, 40), (200, 60)])
def test_a_narrow_terminal_has_room_for_fewer(room: int, drawn: int) -> None:
    trend = trend_of(question(back_ms=20 * HOUR_MS), "bytes", "10m", room)
    assert (trend.most, trend.question.from_ms) == (drawn, NOW_MS - drawn * 600_000)
    assert trend_of(question(back_ms=24 * HOUR_MS), "bytes", None, room).width == "1h"
    assert trend_of(question(back_ms=9 * HOUR_MS), "bytes", None, room).width == ("10m" if drawn >= 54 else "1h")


def test_a_width_that_was_asked_for_stays_and_the_last_windows_are_drawn() -> None:
    trend = trend_of(question(back_ms=2 * DAY_MS + 1), "bytes", "10m")
    assert trend.header.name == "bytes per 10m"
    assert trend.question.from_ms == NOW_MS - MOST_WINDOWS * 600_000


def test_conditions_on_sums_do_not_choose_windows() -> None:
    asked = trend_of(question("links", "vo", HOUR_MS, "failed>9", "vo=cms", "efficiency<0.5"), "failed", None).question
    assert [condition.column for condition in asked.where] == ["vo"]
    assert (asked.by, asked.limit) == (("window_start", "technology", "vo"), None)
    # Failures are restricted row by row, in groups as in windows.
    of_rows = trend_of(question("errors", "vo", HOUR_MS, "count>9"), "count", None).question
    assert [condition.column for condition in of_rows.where] == ["count"]


@pytest.mark.parametrize(
    ("report", "by", "measure", "said"),
    [
        ("links", "", "bytes", "add --by, without window_start"),
        ("links", "vo,window_start", "bytes", "add --by, without window_start"),
        ("links", "vo", "dst_site", "known are started, ok, failed"),
        ("links", "vo", "updated_at", "no number 'updated_at'"),
        ("links", "vo", "total_p50", "no number 'total_p50'"),
        ("transfers", "vo", "count", "transfers have no windows to draw"),
        ("vo-pairs", "src_site", "together", "vo-pairs have no windows to draw"),
    ],
)
def test_what_cannot_be_drawn_is_said(report: str, by: str, measure: str, said: str) -> None:
    with pytest.raises(BadQuery, match=said):
        trend_of(question(report, by), measure, None)
