"""Why there is nothing to show: a name that nobody knows, a range without it, silence, or a time that is not kept."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.store.queries.answer import answer
from pipeline.store.queries.health import freshness
from pipeline.store.queries.kept import is_heard, oldest_windows
from pipeline.store.queries.names import is_known, names
from pipeline.store.queries.question import Condition, Order, Question
from pipeline.store.queries.reports import LINKS
from pipeline.units import moment
from pipeline.web.context import Context
from pipeline.web.filters import DAY_MS
from pipeline.web.pages.axis import from_datetime
from pipeline.web.pages.frame import Frame
from pipeline.web.parameters import Common
from pipeline.web.problems import Problem, bad_parameter

MOST_NAMES = 5000
FILTERED = ("vo", "technology", "fts", "channel")


class UnknownName(Problem):
    """404 for what a page would be about; ``near`` are (name, address) of what may be meant."""

    def __init__(self, kind: str, name: str, near: list[tuple[str, str]]) -> None:
        written = f": did you mean {_either([each for each, _ in near])}?" if near else ""
        super().__init__(404, f"no {kind} named {name!r} occurs in anything that is kept{written}")
        self.near = near


class Absent(NamedTuple):
    """``text`` says why; ``address`` leads to where there is something, else None."""

    text: str
    address: str | None


def must_know(context: Context, kind: str, name: str, address: Callable[[str], str]) -> None:
    """Raises UnknownName, with the near names of the kind, for a name that occurs in no window."""
    if not is_known(context.connection, kind, name):
        near = near_names(context, kind, name)
        raise UnknownName("VO" if kind == "vo" else kind, name, [(each, address(each)) for each in near])


def need_pair(asked: Common, sentence: str) -> None:
    """Raises Problem 400 with the sentence, unless one source and one destination are asked for."""
    for side, written in (("src", asked.src), ("dst", asked.dst)):
        if len(written) != 1 or written[0].startswith("!"):
            raise bad_parameter(side, sentence)


def near_names(context: Context, kind: str, name: str) -> list[str]:
    """Names of the kind that may be meant, in any case, the nearest first."""
    known = {each.lower(): each for each in names(context.connection, kind, "", MOST_NAMES)}
    wanted = name.lower()
    found = difflib.get_close_matches(wanted, known, n=4, cutoff=0.6)
    found += sorted(each for each in known if wanted and wanted in each and each not in found)[:4]
    return [known[each] for each in found]


def absent(context: Context, frame: Frame, *asked: Common) -> Absent:
    """Why the range and filters of a page have no windows; ``asked`` is what it looked for, else its parameters."""
    connection, span = context.connection, frame.span
    for kind in FILTERED:
        for written in getattr(frame.asked, kind, ()):
            name = written.removeprefix("!")
            if name and not is_known(connection, kind, name):
                near = near_names(context, kind, name)
                hint = f": did you mean {_either(near)}?" if near else "."
                return Absent(f"Nothing that is kept has the {kind} {name!r}{hint}", None)
    looked_for = asked or ((frame.asked,) if isinstance(frame.asked, Common) else ())
    found = [_last(context, context.conditions(each, LINKS)) for each in looked_for]
    last = max((each for each in found if each is not None), default=None)
    oldest = oldest_windows(connection, span.width)
    if oldest is not None and span.to_ms <= from_datetime(oldest):
        return Absent(f"The oldest windows of {span.width} that are kept begin at {moment(oldest)}.", _at(frame, last))
    if not is_heard(connection, span.from_ms, span.to_ms):
        sources = [
            f"{each.source} (newest event {moment(each.last_event_at) if each.last_event_at else 'never'})"
            for each in freshness(connection)
        ]
        silent = f" Silent were {', '.join(sources)}." if sources else ""
        return Absent(f"Nothing was received in this time from any source.{silent}", _at(frame, last))
    if last is None:
        return Absent("Messages came in this time, but nothing that is kept fits these filters.", None)
    return Absent(f"Messages came in this time; what is asked for was seen last at {moment(last)}.", _at(frame, last))


def _at(frame: Frame, last: datetime | None) -> str | None:
    """The page around the last window."""
    if last is None:
        return None
    return frame.here(**{"from": from_datetime(last - timedelta(hours=12)), "to": from_datetime(last) + DAY_MS // 2})


def _last(context: Context, where: tuple[Condition, ...]) -> datetime | None:
    """The start of the newest window that fits: of ten minutes where those are kept, else of a day."""
    day = _newest(context, where, "1d", None)
    if day is None:
        return None
    return _newest(context, where, "10m", from_datetime(day)) or day


def _newest(context: Context, where: tuple[Condition, ...], width: str, from_ms: int | None) -> datetime | None:
    question = Question(
        report=LINKS,
        now_ms=context.now_ms,
        from_ms=from_ms,
        to_ms=None if from_ms is None else from_ms + DAY_MS,
        width=width,
        by=("window_start", "technology"),
        where=where,
        order=(Order("window_start", True),),
        limit=1,
    )
    with closing(answer(context.connection, question).rows) as rows:
        first = next(rows, None)
    return None if first is None else first[0]


def _either(found: list[str]) -> str:
    return " or ".join(found)
