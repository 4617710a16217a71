"""Columns of answers: their names are the public ones of the ``report`` views, their kinds say what the values are."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal[
    "text", "count", "number", "bytes", "ms", "rate", "ratio", "percent", "correlation", "time", "flag", "headers"
]
"""What a value is. ``bytes``, ``ms`` and ``rate`` (bytes a second) carry their unit; ``number`` is one of any size, in
a unit that another column tells; ``ratio`` is 0 to 1, ``percent`` a hundred times that, as it was sent, and
``correlation`` is -1 to 1; ``time`` is an aware UTC instant; ``headers`` is an object of texts. Any of them may be
None: unknown or none, never 0."""

NUMBERS: frozenset[Kind] = frozenset({"count", "number", "bytes", "ms", "rate", "ratio", "percent", "correlation"})


class Column(NamedTuple):
    """One column of an answer."""

    name: str
    kind: Kind
