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


MESSAGES = 120_000
HOSTS = ("se", "dcache-door", "xrootd", "eos-ns", "storm_fe", "Gridftp", "srm.v2")
DOMAINS = ("example.org", "grid.example.ac.uk", "t2.ex-ample.com.br", "EXAMPLE.EDU", "cr.lab.example.it")
WORDS = (
    "atlas",
    "user.jdoe",
    "T0_Export",
    "données",
    "Größe",
    "файл",
    "数据",
    "o'neill",
    "mc16-13TeV",
    "AOD.pool.root",
    "a+b",
)


def number(rng: random.Random) -> str:
    """What stands alone for a number, an id or a time."""
    at = f"20{rng.randrange(10, 99)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
    clock = f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
    word = rng.getrandbits(128)
    return rng.choice(
        [
            *[str(rng.randrange(10)), str(rng.randrange(10**4)), str(rng.getrandbits(60)), f"{rng.random() * 99:.2f}"],
            *[f"0x{word % 2**32:x}", f"{word % 2**32 | 2**31:08X}", f"{word:032x}", f"{rng.randrange(99)}%"],
            *[f"{word:032x}"[:8] + "-ab12-4cde-8f01-" + f"{word:032x}"[-12:], f"{at}T{clock}Z", f"{at} {clock},123"],
        ]
    )


def host(rng: random.Random) -> str:
    """A name or an address, with a port or without."""
    name = f"{rng.choice(HOSTS)}{rng.randrange(999)}.{rng.choice(DOMAINS)}"
    address = ".".join(str(rng.randrange(256)) for _ in range(4))
    bits = f"{rng.getrandbits(64):016x}"
    wide = "2001:db8::" + ":".join(bits[i : i + 4] for i in range(0, 16, 4))
    return rng.choice([name, f"{name}:{rng.randrange(1024, 65536)}", address, f"{address}:1094", f"[{wide}]:443", wide])


def path(rng: random.Random) -> str:
    """A path with directories of any alphabet."""
    names = [rng.choice(WORDS) + rng.choice(["", f"_{rng.getrandbits(20)}", ".1"]) for _ in range(rng.randrange(2, 9))]
    return "/" + "/".join(names)


def url(rng: random.Random) -> str:
    scheme = rng.choice(["davs", "root", "gsiftp", "srm", "https", "s3s"])
    return f"{scheme}://{host(rng)}{path(rng)}{rng.choice(['', '?SFN=/x', '?authz=' + number(rng).replace(' ', '')])}"


def user(rng: random.Random) -> str:
    return rng.choice(["jdoe", "a.smith", "prd-user", "b_jones"]) + rng.choice(["", str(rng.randrange(99))])


def quoted(rng: random.Random) -> str:
    return rng.choice(["'{}'", '"{}"']).format(user(rng))


def subject(rng: random.Random) -> str:
    name = rng.choice(["Jane Doe", "Robot: prod", "José Núñez", f"User {rng.randrange(10**6)}"])
    return f"/DC=org/DC=example/OU=Users/CN={user(rng)}/CN={rng.randrange(10**6)}/CN={name}"


FILLED = {"<host>": host, "<path>": path, "<url>": url, "<name>": quoted, "<dn>": subject}
_MASK = re.compile(r"(?<![^\W_])<n>(?![^\W_])|<(?:n|host|path|url|name|dn)>")


def varied(said: str, rng: random.Random) -> str:
    """A message of that template, as another transfer would have said it."""

    def fill(found: re.Match[str]) -> str:
        if found[0] != "<n>":
            return FILLED[found[0]](rng)
        before, after = said[: found.start()][-1:], said[found.end() :][:1]
        # What touches a word or other punctuation than brackets is a plain number, as in adler32 or file.c:12.
        alone = before in ("", " ", "[", "(") and after in ("", " ", "]", ")")
        return number(rng) if alone else str(rng.randrange(1, 10**6))

    return _MASK.sub(fill, said)


def test_many_different_messages_make_hundreds_of_templates() -> None:
    rng = random.Random(7)
    kinds = sorted({said for _, said in CORPUS})
    messages = {varied(rng.choice(kinds), rng) for _ in range(MESSAGES)}
    made = {template(message) for message in messages}
    assert len(messages) > 100_000
    assert len(made) < 600, len(made)


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
            begin = time.thread_time()
            template(text)
            times.append(time.thread_time() - begin)
        return min(times)

    # Four times the text may take four times as long; sixteen times would be a rule that backtracks.
    assert fastest(message) < 9 * fastest(message[: len(message) // 4]) + 0.0005
