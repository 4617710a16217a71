"""A check: one line, which says what to do unless all is well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple

from pipeline.cli.errors import UNREACHABLE
from pipeline.cli.outcomes import outcome


class Verdict(StrEnum):
    """How a check ended. A warning is something to see to, while all still works."""

    OK = "ok"
    LEFT_OUT = "left out"
    WARNING = "warning"
    WRONG = "wrong"
    UNREACHABLE = "unreachable"


class Check(NamedTuple):
    """One line: what was looked at, how it is, and what there is to say."""

    what: str
    verdict: Verdict
    detail: str


def tried(what: str, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """The checks of ``look``; what goes wrong in it is one of them, and keeps no other from being made."""
    try:
        yield from look()
    except Exception as error:
        meant = outcome(error)
        if meant is None:
            raise
        yield Check(what, Verdict.UNREACHABLE if meant.exit_code == UNREACHABLE else Verdict.WRONG, meant.sentence)
