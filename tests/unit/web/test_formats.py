"""One table, three formats, the same values."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest

from pipeline.store.queries.columns import Column
from pipeline.store.queries.meanings import meaning
from pipeline.web import formats
from pipeline.web.problems import Problem
from pipeline.web.table import Table

COLUMNS = (
    Column("src_host", "text"),
    Column("bytes", "bytes"),
    Column("throughput", "rate"),
    Column("total_mean", "ms"),
    Column("window_start", "time"),
    Column("stale", "flag"),
)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def csv_of(*rows: list[Any], raw: bool = False) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(formats.csv_lines(COLUMNS, rows, raw=raw)))))


def test_csv_names_hold_units_and_none_is_an_empty_field() -> None:
    header, row = csv_of(["a", Decimal(5), None, 1.5, NOON, False])
    assert header == ["src_host", "bytes", "throughput_B_s", "total_mean_ms", "window_start", "stale"]
    assert row == ["a", "5", "", "1.5", "2026-11-22T12:00:00Z", "false"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_csv_texts_that_start_a_formula_are_guarded_unless_raw(text: str) -> None:
    row = [text, -5, -1.5, None, None, None]
    guarded, plain = csv_of(row)[1], csv_of(row, raw=True)[1]
    assert (guarded[0], plain[0]) == (f"'{text}", text)
    assert guarded[1:3] == ["-5", "-1.5"], "numbers are no formulas"


def test_csv_of_many_rows_has_each_once() -> None:
    assert [row[1] for row in csv_of(*(["a", n, None, None, None, None] for n in range(1501)))[1:]] == [
        str(n) for n in range(1501)
    ]


def test_json_keeps_whole_numbers_exact() -> None:
    table = Table(COLUMNS, [["a", Decimal(2**53), 0.5, None, NOON, True], ["b", Decimal(2**53 - 1), 1, 2, NOON, True]])
    document = json.loads(formats.json_document(table, {}, objects=True))
    assert [row["bytes"] for row in document["rows"]] == [str(2**53), 2**53 - 1]
    assert document["columns"][2] == {
        "name": "throughput",
        "type": "rate",
        "unit": "B/s",
        "meaning": meaning("throughput"),
    }
    assert document["rows"][0]["window_start"] == "2026-11-22T12:00:00Z"


@pytest.mark.parametrize("rows", [0, 1, 500, 501, 1500])
@pytest.mark.parametrize("objects", [True, False])
def test_json_piece_by_piece_is_the_same_document(rows: int, objects: bool) -> None:
    table = Table(COLUMNS, [[f"host{n}", n, None, 0.5, NOON, False] for n in range(rows)])
    pieces = list(formats.json_lines(table, iter(table.rows), {"a": 1}, objects=objects))
    document = json.loads("".join(pieces))
    assert len(pieces) == 2 + -(-rows // 500), "nobody holds all rows at once"
    assert (document["meta"], [column["name"] for column in document["columns"]]) == (
        {"a": 1},
        [c.name for c in COLUMNS],
    )
    hosts = [row["src_host"] if objects else row[0] for row in document["rows"]]
    assert hosts == [f"host{n}" for n in range(rows)]


def test_xml_is_read_back_whatever_the_text_is() -> None:
    hostile = "</window><x>&\"'\x00\x1b"
    lines = "".join(formats.xml_lines(COLUMNS, [[hostile, Decimal(7), None, None, NOON, None]]))
    (window,) = ElementTree.fromstring(lines)
    assert window.attrib == {
        "src_host": "</window><x>&\"'\ufffd\ufffd",
        "bytes": "7",
        "window_start": "2026-11-22T12:00:00Z",
    }


@pytest.mark.parametrize(
    ("wanted", "accept", "found"),
    [
        (None, None, "json"),
        (None, "*/*", "json"),
        (None, "text/csv", "csv"),
        (None, "text/*;q=0.9, application/json;q=0.1", "csv"),
        (None, "text/csv;q=0, */*", "json"),
        (None, "text/html, */*;q=0.1", "json"),
        ("csv", "application/json", "csv"),
    ],
)
def test_the_format_is_the_parameter_else_the_best_of_accept(wanted: str | None, accept: str, found: str) -> None:
    assert formats.chosen(wanted, accept, ("json", "csv")) == found


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0, text/csv;q=0", "nonsense"])
def test_a_format_that_is_not_there_is_refused(accept: str) -> None:
    with pytest.raises(Problem) as refused:
        formats.chosen(None, accept, ("json", "csv"))
    assert refused.value.status == 406
