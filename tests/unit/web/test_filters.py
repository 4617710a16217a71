"""Parameters become ranges and conditions, or a sentence that says what is wrong."""

from __future__ import annotations

import base64

import pytest

from pipeline.store.queries.question import Condition
from pipeline.web import cursors, filters
from pipeline.web.parameters import Bin, Common
from pipeline.web.problems import Problem
from tests.support.lines import NOON_MS

MINUTE = 60_000
DAY = 86_400_000


@pytest.mark.parametrize(
    ("from_", "bin_", "width"),
    [
        ("now-1h", "auto", "10m"),
        ("now-48h", "auto", "10m"),
        ("now-49h", "auto", "1h"),
        ("now-30d", "auto", "1h"),
        ("now-31d", "auto", "1d"),
        ("now-1h", "1d", "1d"),
    ],
)
def test_bins_follow_the_range(from_: str, bin_: Bin, width: str) -> None:
    assert filters.span(from_, "now", bin_, NOON_MS).width == width


def test_a_filter_by_name_chooses_as_conditions_do() -> None:
    names = ("a", "b", "c")
    for written, found in (([], "abc"), (["a", "b"], "ab"), (["!a"], "bc"), (["a", "!a"], ""), (["d"], "")):
        assert "".join(filter(filters.chooses(written), names)) == found


def test_percentiles_are_shares_each_once() -> None:
    assert list(filters.shares("50,90,99.9,50")) == pytest.approx([0.5, 0.9, 0.999])
    for wrong in ("", "0", "100", "-1", "nan", "half", "50,", ",".join(map(str, range(1, 12)))):
        with pytest.raises(Problem) as refused:
            filters.shares(wrong)
        assert refused.value.errors[0].parameter == "p", wrong


def test_the_range_is_rounded_outward() -> None:
    found = filters.span(str(NOON_MS + MINUTE), str(NOON_MS + 11 * MINUTE), "10m", NOON_MS)
    assert (found.from_ms, found.to_ms) == (NOON_MS, NOON_MS + 20 * MINUTE)


@pytest.mark.parametrize(
    ("from_", "to", "bin_", "parameter"),
    [
        ("now", "now-1h", "auto", "from"),
        ("yesterday", "now", "auto", "from"),
        ("now-1h", "soon", "auto", "to"),
        ("now-31d", "now", "10m", "bin"),
    ],
)
def test_a_range_that_cannot_be_meant_names_its_parameter(from_: str, to: str, bin_: Bin, parameter: str) -> None:
    with pytest.raises(Problem) as refused:
        filters.span(from_, to, bin_, NOON_MS)
    assert (refused.value.status, refused.value.errors[0].parameter) == (400, parameter)


def conditions(**asked: list[str]) -> list[tuple[str, str, object]]:
    found = filters.conditions(Common.model_validate(asked), lambda kind, name: (kind, name) == ("site", "CERN"))
    return [(each.column, each.operator, each.value) for each in found]


def test_filters_name_columns() -> None:
    assert conditions(vo=["cms", "!atlas"], channel=[""]) == [
        ("vo", "=", "cms"),
        ("vo", "!=", "atlas"),
        ("channel", "=", None),
    ]
    assert conditions(src=["CERN"], dst=["se.DESY.de"]) == [
        ("src_site", "=", "CERN"),
        ("dst_host", "=", "se.desy.de"),
    ]
    assert conditions(src=["country:CH", "!site:X"]) == [("src_country", "=", "CH"), ("src_site", "!=", "X")]


@pytest.mark.parametrize("src", [["planet:X"], [""], ["site:"], ["site:A", "host:b"]])
def test_an_end_that_cannot_be_meant_is_refused(src: list[str]) -> None:
    with pytest.raises(Problem) as refused:
        conditions(src=src)
    assert refused.value.errors[0].parameter == "src"


def test_a_cursor_comes_back_and_fits_its_own_question_alone() -> None:
    text = cursors.written(cursors.Cursor(NOON_MS, ("a", None, 7)), {"by": "vo"})
    assert cursors.read(text, {"by": "vo"}) == (NOON_MS, ["a", None, 7])
    deep = base64.urlsafe_b64encode(b"[" * 3000).decode()
    vo = {"by": "vo"}
    for other, query in ((text, {"by": "fts"}), (text[:-3], vo), ("é", vo), ("", vo), (deep, vo)):
        with pytest.raises(Problem) as refused:
            cursors.read(other, query)
        assert refused.value.errors[0].parameter == "cursor"


def test_a_condition_on_what_a_report_lacks_is_refused() -> None:
    from pipeline.store.queries.reports import QUEUES

    with pytest.raises(Problem, match="queues have no src_site"):
        filters.for_report([Condition("src_site", "=", "CERN")], QUEUES)
