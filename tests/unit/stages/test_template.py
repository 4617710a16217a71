"""Templates of error messages: like failures read alike, whatever host, file, number or user they name."""

from __future__ import annotations

import random
import re
import string
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.stages.template import LONGEST, READ, template

ROOT = Path(__file__).parents[3]
CORPUS = [
    tuple(line.split("\t"))
    for line in (ROOT / "tests/data/errors/constructed.tsv").read_text(encoding="utf-8").splitlines()
]
NASTY = st.text(
    st.one_of(st.sampled_from(list("/:.@='\"<>()[],-_ %n1a9fCND")), st.characters(exclude_categories=["Cs"])),
    max_size=300,
)
PARTS = (
    *[
        "CN=",
        "DC=",
        "/CN=",
        ", ",
        "user",
        "uid",
        "://",
        "a.b.cc",
        "::",
        "/",
        "Nov",
        "abcdefab",
        "'",
        '"',
        "@",
        "[",
        "]",
    ],
    *["<n>", "<", ">", " ", "\t", "x", "X y", "1", "12", "\u0663", "=", ":", "-", "_", "|", "http", "é", "0x", "%"],
)
JOINED = st.lists(st.sampled_from(PARTS), max_size=60).map("".join)
TEXTS = st.one_of(NASTY, JOINED, st.sampled_from([message for message, _ in CORPUS]))


def other_digits(text: str, rng: random.Random) -> str:
    return re.sub(r"[0-9]", lambda _: rng.choice(string.digits), text)


@pytest.mark.parametrize(("message", "expected"), CORPUS)
def test_messages_have_the_template_that_stands_beside_them(message: str, expected: str) -> None:
    assert template(message) == expected


def rules() -> list[tuple[str, str, str]]:
    """What is masked, an example, its template: the table of the README."""
    readme = (ROOT / "pipeline/stages/README.md").read_text(encoding="utf-8")
    table = readme.split("| masked |", 1)[1].split("\n\n", 1)[0]
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return [(row[0], row[1], row[2]) for row in rows]


@pytest.mark.parametrize(("what", "message", "expected"), rules())
def test_the_rules_are_those_of_the_readme(what: str, message: str, expected: str) -> None:
    assert template(message) == expected, what


@settings(max_examples=1000, deadline=None)
@given(TEXTS)
@example("'a'x'b'")
@example("x-a.b.cc:1x")
@example("a.b.cc1 user :  x")
@example("CN='=',DC=c")
@example("0uid=A")
@example("(" + "a," * 45 + "1, 1" + ",a" * 45 + ")")
def test_a_template_is_its_own_template(message: str) -> None:
    said = template(message)
    assert template(said) == said


@settings(max_examples=500, deadline=None)
@given(TEXTS, st.randoms())
def test_numbers_do_not_matter(message: str, rng: random.Random) -> None:
    assert template(other_digits(message, rng)) == template(message)


@settings(max_examples=500, deadline=None)
@given(TEXTS.flatmap(lambda text: st.integers(1, 12).map(lambda times: text * times)))
def test_a_template_has_a_bounded_length_and_no_digits_nor_line_ends(message: str) -> None:
    said = template(message)
    assert len(said) <= LONGEST
    assert not any(character.isdecimal() for character in said)
    assert said == " ".join(said.split())


def test_what_lies_beyond_the_characters_that_are_read_does_not_matter() -> None:
    assert template("word " * READ + "end") == template("word " * READ)


def test_a_million_messages_make_few_templates() -> None:
    rng = random.Random(7)

    def varied(message: str) -> str:
        hosted = message.replace("example", f"{rng.choice(['site', 'grid-lab', 'tier'])}{rng.randrange(999)}")
        found = re.sub(r"\b[0-9a-f]{8}\b", lambda _: f"{rng.getrandbits(32):08x}", hosted)
        numbered = re.sub(r"(?<![\w.:])\d{3,}(?![\w.:])", lambda _: str(rng.randrange(100, 10**12)), found)
        return numbered.replace("jdoe", rng.choice(["asmith", "b.jones", "c_7"]))

    made = {template(varied(message)) for _ in range(200) for message, _ in CORPUS}
    assert len(made) < 2 * len(CORPUS)


HOSTILE = {
    **{
        name: name * (READ // len(name)) for name in ["1", ".", "a.", "a/", "a+", "/CN=", "/DC=a b", "CN=a,", ":", "1:"]
    },
    **{
        name: name * (READ // len(name)) for name in ["'a", "user:a ", "(a1)", "a://b ", "CN=", "[", "A1 ", "é-", "@.1"]
    },
}


@pytest.mark.parametrize("name", HOSTILE)
def test_time_grows_with_the_length_and_no_faster(name: str) -> None:
    message = HOSTILE[name]

    def fastest(text: str) -> float:
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            template(text)
            times.append(time.perf_counter() - begin)
        return min(times)

    # Four times the text may take four times as long; sixteen times would be a rule that backtracks.
    assert fastest(message) < 9 * fastest(message[: len(message) // 4]) + 0.0005
