"""Questions: what can be asked, and how what cannot is refused."""

from __future__ import annotations

import pytest

from pipeline.store.queries.errors import BadQuery
from pipeline.store.queries.instants import to_datetime
from pipeline.store.queries.question import Condition, Order, parse_by, parse_condition, parse_order, report_named
from pipeline.store.queries.reports import CHANNELS, DEAD_LETTERS, IN_FLIGHT, LINKS, REPORTS, TRANSFERS, Report

NOW = 1_795_311_600_000


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("vo=atlas", Condition("vo", "=", "atlas")),
        (" VO = atlas ", Condition("vo", "=", "atlas")),
        ("vo!=atlas", Condition("vo", "!=", "atlas")),
        ("src_site~CERN*", Condition("src_site", "~", "CERN*")),
        ("dst_host!~*.cern.ch", Condition("dst_host", "!~", "*.cern.ch")),
        ("channel=", Condition("channel", "=", None)),
        ("channel!=", Condition("channel", "!=", None)),
        ("failed>100", Condition("failed", ">", 100)),
        ("failed >= 100", Condition("failed", ">=", 100)),
        ("efficiency<0.9", Condition("efficiency", "<", 0.9)),
        ("bytes>=1e12", Condition("bytes", ">=", 1e12)),
        ("stale=true", Condition("stale", "=", True)),
        ("window_start<=-1h", Condition("window_start", "<=", to_datetime(NOW - 3_600_000))),
        ("channel==x", Condition("channel", "=", "=x")),
    ],
)
def test_a_condition_is_a_column_an_operator_and_a_value(text: str, condition: Condition) -> None:
    assert parse_condition(LINKS, text, NOW) == condition


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "COLUMN=VALUE"),
        ("vo", "COLUMN=VALUE"),
        ("vo atlas", "COLUMN=VALUE"),
        ("vo>atlas", "cannot be compared with >"),
        ("failed~1*", "cannot be compared with ~"),
        ("stale>true", "cannot be compared with >"),
        ("failed=many", "is a number"),
        ("failed>", "has no value"),
        ("stale=maybe", "true or false"),
        ("window_start>tomorrow", "is not a time"),
        ("src_sit=x", "did you mean src_site"),
        ("vo; DROP TABLE x=1", "COLUMN=VALUE"),
        ("password=1", "known are window_start, technology"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_refused_with_what_to_write(text: str, hint: str) -> None:
    with pytest.raises(BadQuery, match=hint.replace("*", r"\*")):
        parse_condition(LINKS, text, NOW)


def test_headers_of_dead_letters_are_not_compared() -> None:
    with pytest.raises(BadQuery, match="headers cannot be compared"):
        parse_condition(DEAD_LETTERS, "headers=x", NOW)


def test_groups_of_different_technologies_are_never_added_up() -> None:
    assert parse_by(LINKS, ["src_site,dst_site", "vo"]) == ("technology", "src_site", "dst_site", "vo")
    assert parse_by(CHANNELS, ["vo,technology,vo"]) == ("vo", "technology")
    assert parse_by(TRANSFERS, ["state"]) == ("technology", "state")
    assert parse_by(IN_FLIGHT, ["lost"]) == ("lost",)
    assert parse_by(LINKS, []) == ()


@pytest.mark.parametrize("column", ["failed", "src_sit", "x;y"])
def test_only_keys_can_be_grouped_by(column: str) -> None:
    with pytest.raises(BadQuery, match="known are window_start, technology"):
        parse_by(LINKS, [column])


def test_single_rows_cannot_be_grouped_by_their_time() -> None:
    with pytest.raises(BadQuery, match="cannot be grouped by 'ended_at'"):
        parse_by(TRANSFERS, ["ended_at"])


def test_order_is_by_columns_of_the_answer_falling_with_a_dash() -> None:
    assert parse_order(["vo", "failed"], ["-failed,vo"]) == (Order("failed", True), Order("vo", False))
    with pytest.raises(BadQuery, match="no column 'bytes'"):
        parse_order(["vo", "failed"], ["bytes"])


def test_an_unknown_report_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(
        BadQuery,
        match="links, channels, endpoints, activities, vos, vo-sites, vo-pairs, errors, queues, states, transfers, "
        "in-flight, dead-letters, alerts",
    ):
        report_named("lnks")


@pytest.mark.parametrize("report", REPORTS.values(), ids=lambda report: report.name)
def test_keys_totals_and_screens_are_columns_of_their_report(report: Report) -> None:
    names = [column.name for column in report.columns]
    assert len(names) == len(set(names))
    time = () if report.compares else (report.time,)
    assert {*time, *report.keys, *report.totals, *report.screen} <= set(names)


def test_vos_are_always_told_apart_and_pairs_have_no_single_windows() -> None:
    assert parse_by(REPORTS["vos"], ["src_site"]) == ("technology", "src_site", "vo")
    assert parse_by(REPORTS["vos"], ["vo,src_site"]) == ("technology", "vo", "src_site")
    assert parse_by(REPORTS["vo-pairs"], ["vo"]) == ("technology", "vo", "other_vo")
    with pytest.raises(BadQuery, match="cannot be grouped by 'window_start'"):
        parse_by(REPORTS["vo-pairs"], ["window_start"])
