"""Text of others on the terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.terminal import safe


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Zürich · 東京", "Zürich · 東京"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc\rd\0", "a\\x0ab\\x09c\\x0dd\\x00"),
        ("\x9b2J", "\\x9b2J"),
        ("nrec\u202eli.ch", "nrec\\u202eli.ch"),
        ("a\u200bb", "a\\u200bb"),
        ("\U000e0041", "\\U000e0041"),
        ("half \ud800", "half \\ud800"),
    ],
)
def test_what_could_act_on_the_terminal_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_line_breaks_stay_where_the_caller_keeps_them() -> None:
    assert safe("a\nb\x1b", keep="\n") == "a\nb\\x1b"


@given(st.text())
def test_nothing_that_acts_is_left(text: str) -> None:
    shown = safe(text)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for c in shown)
    shown.encode()
    assert safe(shown) == shown
