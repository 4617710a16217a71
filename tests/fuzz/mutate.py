"""Inputs that are almost right: samples cut into parts, and a few of the parts changed.

Tokens are words, numbers, quoted texts and signs. A part is a value (a token, or brackets with all between them) or a
name with its value. So the same changes make sense in JSON, TOML, STOMP headers, query strings and, less so, XML, and
most of them leave it well-formed: a value of another kind or out of range, a field missing, repeated, or elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import NamedTuple, TypeVar

_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|[A-Za-z_][\w.-]*|-?\d[\w.+-]*|[ \t]+|[\x80-\xff]+|.', re.DOTALL)
_CLOSING = {b"{": b"}", b"[": b"]"}
_NAME_OR_VALUE = re.compile(rb'["\w-]')
_MOST_PARTS = 4

VALUES: tuple[bytes, ...] = (
    b"null",
    b"true",
    b"false",
    b"{}",
    b"[]",
    b'""',
    b'"\\u0000"',
    b'"\\ud800"',
    b'{"\\ud800": 1}',
    b'{"a": "\\udfff"}',
    b'"\\u202e"',
    b'"invalid"',
    b'" "',
    b'"-1"',
    b'"1e999999999"',
    b'"inf%"',
    b"0",
    b"-0",
    b"-1",
    b"0.1",
    b"1e400",
    b"-1e-999999999",
    b"9007199254740993",
    b"9223372036854775808",
    b"253402300800000",
    b"99999999999999999999999999999999999999",
    b"9" * 5000,
    b'"' + b"9" * 5000 + b'"',
    b'"' + b"A" * 4000 + b'"',
    b"[" * 40 + b"]" * 40,
    b"[" * 3000 + b"]" * 3000,
    b'{"data":' * 30 + b"1" + b"}" * 30,
    b'{"a":' * 3000 + b"1" + b"}" * 3000,
    b'"davs://[::1"',
    b'"srm://h:99999/p"',
    b'"//"',
    b'"~nobody-here/x"',
    b'"[::1]:1094"',
    b'"xn--\xc3\xa9.org"',
    b'"' + b"a." * 200 + b'"',
    b'"0001-01-01T00:00:00Z"',
    b'"9999-12-31T23:59:60+23:59"',
    b'"2026-02-30"',
    b'"11:22:33"',
    b"now-99999999999d",
)
"""Mostly JSON: they take the place of a value."""

NOISE: tuple[bytes, ...] = (
    b"",
    b"NaN",
    b"Infinity",
    b'"\xff\xfe"',
    b"[" * 3000,
    b'{"a":' * 3000,
    b'"',
    b"\0",
    b"\n",
    b"\r\n",
    b"\n\n",
    b":",
    b"\\",
    b"%00",
    b"!",
    b"&",
    b"=",
    b"[::1]",
    b"<a>",
    b"&#0;",
    b"]]>",
    b"content-length:99999999999999",
)
"""Where it does not belong."""

T = TypeVar("T")


class Part(NamedTuple):
    """Tokens from ``begin`` to before ``end``: a value, or a name with its value."""

    begin: int
    end: int
    is_named: bool


class Sample(NamedTuple):
    """A good input: its tokens, its parts, and what stands between two fields."""

    tokens: tuple[bytes, ...]
    parts: tuple[Part, ...]
    joint: bytes

    def text(self, part: Part) -> bytes:
        """A part as it stands."""
        return b"".join(self.tokens[part.begin : part.end])


def sample_of(content: bytes) -> Sample:
    """An input cut into its parts."""
    tokens = tuple(_TOKEN.findall(content))
    values = {place: place + 1 for place, token in enumerate(tokens) if _NAME_OR_VALUE.match(token)}
    values |= _brackets(tokens)
    named = {}
    for place in sorted(values):
        behind = _behind_sign(tokens, place) if tokens[place] not in _CLOSING else None
        if behind in values:
            named[place] = values[behind]
            del values[place]
    parts = [Part(*each, False) for each in values.items()] + [Part(*each, True) for each in named.items()]
    joint = b"," if content[:1] in _CLOSING else b"&" if b"&" in content else b"\n"
    return Sample(tokens, tuple(parts) or (Part(0, len(tokens), False),), joint)


def _brackets(tokens: Sequence[bytes]) -> dict[int, int]:
    found, opened = {}, list[int]()
    for place, token in enumerate(tokens):
        if token in _CLOSING:
            opened.append(place)
        elif opened and _CLOSING[tokens[opened[-1]]] == token:
            found[opened.pop()] = place + 1
    return found


def _behind_sign(tokens: Sequence[bytes], name: int) -> int | None:
    """Where the value of a name begins."""
    place = _skip(tokens, name + 1)
    return _skip(tokens, place + 1) if tokens[place : place + 1] in ((b":",), (b"=",)) else None


def _skip(tokens: Sequence[bytes], place: int) -> int:
    while place < len(tokens) and tokens[place].isspace():
        place += 1
    return place


def mutated(rng: Random, samples: Sequence[Sample]) -> bytes:
    """One of the samples with one to four parts changed; one input in sixteen has bytes changed as well, blindly."""
    sample = _one(rng, samples)
    tokens = list(sample.tokens)
    last = len(tokens) + 1
    chosen = sorted((_one(rng, sample.parts) for _ in range(1 + int(rng.random() ** 2 * _MOST_PARTS))), reverse=True)
    for part in chosen:  # from the last on, so that what lies before keeps its place
        if part.end <= last:
            tokens[part.begin : part.end] = [_changed(rng, sample, part, samples)]
            last = part.begin
    made = b"".join(tokens)
    return _noisy(rng, made) if rng.random() < 1 / 16 else made


def _one(rng: Random, choices: Sequence[T]) -> T:
    return choices[int(rng.random() * len(choices))]


def _changed(rng: Random, sample: Sample, part: Part, samples: Sequence[Sample]) -> bytes:
    chance = rng.random()
    if chance < 0.07:
        return _one(rng, NOISE)
    if chance < 0.3:
        other = _one(rng, samples)
        like = _one(rng, other.parts)
        if like.is_named == part.is_named:
            return other.text(like)
    if part.is_named:
        return _field(rng, sample, part)
    if chance < 0.5:
        return _number(rng, sample.text(part))
    if chance < 0.6:
        before, behind = _one(rng, ((b"[", b"]"), (b'{"data":', b"}"), (b"<a>", b"</a>")))
        return before + sample.text(part) + behind
    return _one(rng, VALUES)


def _field(rng: Random, sample: Sample, part: Part) -> bytes:
    """It is missing, or there several times, with its value or another one."""
    was = sample.text(part)
    if rng.random() < 0.5:
        return was[:1] + b"_" + was[1:]
    times = 1 + int(rng.random() ** 6 * 40)
    name, sign, _ = was.partition(b":" if b":" in was else b"=")
    return sample.joint.join([was, *([name + sign + _one(rng, VALUES)] * times)])


def _number(rng: Random, was: bytes) -> bytes:
    """A number that is a little, or much, another one; other values become one."""
    if not was.isdigit():
        return b"%d" % int(rng.random() * 10 ** int(rng.random() * 20))
    changes = (b"-" + was, was + b"000", was[:-3] or b"0", b'"' + was + b'"', was + b".5", b"1" + was, was[::-1])
    return _one(rng, changes)


def _noisy(rng: Random, made: bytes) -> bytes:
    noise = bytearray(made)
    for _ in range(1 + int(rng.random() * 4)):
        if noise:
            noise[int(rng.random() * len(noise))] = int(rng.random() * 256)
    return bytes(noise)
