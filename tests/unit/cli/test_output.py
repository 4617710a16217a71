"""Answers on stdout: tables, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.output import write, write_json
from pipeline.store.queries.columns import Column

COLUMNS = [Column("vo", "text"), Column("bytes", "bytes"), Column("efficiency", "ratio"), Column("at", "time")]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROWS: list[list[Any]] = [["atlas", Decimal("2684354560"), 0.5, NOON], [None, 0, None, None]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(form: str, columns: list[Column], rows: list[list[Any]], out: io.StringIO | None = None) -> str:
    out = out or io.StringIO()
    write(form, columns, rows, out)
    return out.getvalue()


def test_a_table_off_the_terminal_is_plain_aligned_text() -> None:
    assert written("table", COLUMNS, ROWS) == (
        "vo       bytes  efficiency  at\natlas  2.68 GB      50.0 %  2026-11-22 12:00Z\n-          0 B           -  -\n"
    )


def test_a_table_on_the_terminal_says_the_same() -> None:
    text = written("table", COLUMNS, ROWS, Terminal())
    for cell in ("vo", "atlas", "2.68 GB", "50.0 %", "2026-11-22 12:00Z"):
        assert cell in text


def test_square_brackets_of_a_message_are_no_markup() -> None:
    assert "[red]x[/red]" in written("table", [Column("detail", "text")], [["[red]x[/red]"]], Terminal())


@pytest.mark.parametrize("out", [io.StringIO, Terminal])
def test_escapes_of_a_message_are_shown_not_sent_in_tables(out: type[io.StringIO]) -> None:
    text = written("table", [Column("detail", "text")], [["\x1b]0;owned\x07\u202e"]], out())
    assert "\\x1b]0;owned\\x07\\u202e" in text


def test_csv_has_raw_numbers_iso_times_and_empty_cells_for_none() -> None:
    assert written("csv", COLUMNS, ROWS) == (
        "vo,bytes,efficiency,at\r\natlas,2684354560,0.5,2026-11-22T12:00:00Z\r\n,0,,\r\n"
    )


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_csv_cell_cannot_start_a_formula(text: str) -> None:
    table = written("csv", [Column("detail", "text")], [[text]])
    assert list(csv.reader(io.StringIO(table, newline="")))[1] == [f"'{text}"]


def test_a_negative_number_in_csv_stays_a_number() -> None:
    assert written("csv", [Column("n", "count")], [[-5]]) == "n\r\n-5\r\n"


def test_csv_on_a_terminal_cannot_act_on_it() -> None:
    assert "\\x1b[2J" in written("csv", [Column("detail", "text")], [["\x1b[2J"]], Terminal())


def test_json_is_an_array_of_objects_with_raw_values() -> None:
    assert json.loads(written("json", COLUMNS, ROWS)) == [
        {"vo": "atlas", "bytes": 2684354560, "efficiency": 0.5, "at": "2026-11-22T12:00:00Z"},
        {"vo": None, "bytes": 0, "efficiency": None, "at": None},
    ]


def test_json_of_no_rows_is_an_empty_array() -> None:
    assert json.loads(written("json", COLUMNS, [])) == []


@given(st.lists(st.lists(st.text(), min_size=1, max_size=1), max_size=5))
def test_json_says_exactly_what_the_rows_say_and_hides_nothing(rows: list[list[Any]]) -> None:
    text = written("json", [Column("detail", "text")], rows)
    assert [[row["detail"]] for row in json.loads(text)] == rows
    assert not set(text) & set("\x1b\x7f\x9b\u202e\u2028\ufeff")


@given(st.lists(st.text(st.characters(exclude_characters="\r\n")), min_size=1, max_size=5))
def test_csv_gives_every_text_back_but_for_the_guard(texts: list[str]) -> None:
    table = written("csv", [Column(f"c{i}", "text") for i in range(len(texts))], [list(texts)])
    cells = list(csv.reader(io.StringIO(table, newline="")))[1] if any(texts) else texts
    assert [cell.removeprefix("'") for cell in cells] == [text.removeprefix("'") for text in texts]


def test_a_document_holds_times_and_sums_of_the_database() -> None:
    out = io.StringIO()
    write_json({"at": NOON, "sum": Decimal(10), "mean": Decimal("1.5")}, out)
    assert json.loads(out.getvalue()) == {"at": "2026-11-22T12:00:00Z", "sum": 10, "mean": 1.5}
