"""The log: one line an event in UTC, as text or JSON, whatever a message holds."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.logs import JsonLines, TextLines
from pipeline.cli.terminal import safe

AT = 1_795_312_800.25  # 2026-11-22T02:00:00.250Z
HOSTILE = "a\x1b[31m\r\n2026-11-22T02:00:00.000Z INFO forged\u202e\x7f\x9b"
PLAIN = re.compile(r"[\x20-\x7e]*")


def record(sentence: str, *arguments: object, **fields: Any) -> logging.LogRecord:
    made = logging.LogRecord("consumers.x", logging.WARNING, "x.py", 1, sentence, arguments, None)
    made.created, made.msecs = AT, 250.0
    vars(made).update(fields)
    return made


def failed() -> logging.LogRecord:
    made = record("it broke")
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        made.exc_info = (ValueError, error, error.__traceback__)
    return made


def test_text_tells_time_level_logger_sentence_and_fields() -> None:
    line = TextLines().format(record("%d sheep", 3, batch="t-0:1-2 t-1:5-5", seconds=0.5))
    assert line == '2026-11-22T02:00:00.250Z WARNING consumers.x: 3 sheep, batch="t-0:1-2 t-1:5-5", seconds=0.5'


def test_json_tells_the_same_as_an_object() -> None:
    line = JsonLines().format(record("%d sheep", 3, batch="t-0:1-2", seconds=0.5))
    assert json.loads(line) == {
        "time": "2026-11-22T02:00:00.250Z",
        "level": "WARNING",
        "logger": "consumers.x",
        "message": "3 sheep",
        "batch": "t-0:1-2",
        "seconds": 0.5,
    }


@pytest.mark.parametrize("formatter", [TextLines(), JsonLines()])
def test_text_of_others_ends_no_line_and_moves_no_cursor(formatter: logging.Formatter) -> None:
    line = formatter.format(record("it says %s", HOSTILE, detail=HOSTILE))
    assert PLAIN.fullmatch(line)
    assert "forged" in line


def test_json_gives_back_what_was_said() -> None:
    found = json.loads(JsonLines().format(record("%s", HOSTILE, detail=HOSTILE)))
    assert (found["message"], found["detail"]) == (HOSTILE, HOSTILE)


def test_a_trace_is_indented_in_text_so_that_no_line_of_it_looks_like_an_event() -> None:
    first, *others = TextLines().format(failed()).split("\n")
    assert first.endswith("consumers.x: it broke")
    assert len(others) >= 4
    assert all(line.startswith("    ") and PLAIN.fullmatch(line) for line in others)
    assert any("forged" in line for line in others)


def test_a_trace_is_a_field_in_json() -> None:
    line = JsonLines().format(failed())
    assert PLAIN.fullmatch(line)
    assert json.loads(line)["trace"].endswith(HOSTILE)


@given(st.text(), st.text())
def test_every_event_is_one_line(sentence: str, value: str) -> None:
    for formatter in (TextLines(), JsonLines()):
        line = formatter.format(record("%s", sentence, field=value))
        assert len(line.splitlines()) == 1
        assert safe(line) == line


def test_a_field_that_json_does_not_know_is_told_as_text() -> None:
    assert json.loads(JsonLines().format(record("x", where=KeyError)))["where"] == "<class 'KeyError'>"
