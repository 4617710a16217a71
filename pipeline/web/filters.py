"""Parameters as a question: range and bins resolved, filters as conditions on columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.errors import BadQuery
from pipeline.store.queries.instants import ceil_ms, floor_ms, parse_instant
from pipeline.store.queries.question import Condition
from pipeline.store.queries.reports import Report
from pipeline.web.parameters import Bin, Common
from pipeline.web.problems import bad_parameter

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MAX_BINS = 4400
"""Most windows in a range of a wide question: 30 days of ten minutes are 4320."""

MAX_PERCENTILES = 10

PLAIN = ("vo", "technology", "fts", "channel")
END_KINDS = ("site", "host", "country")

Known = Callable[[str, str], bool]
"""Whether a name of this kind (site, host, …) occurs."""


@dataclass(frozen=True)
class Span:
    """A range (ms since the epoch, half-open, on window edges) and the width of its windows."""

    from_ms: int
    to_ms: int
    width: str

    @property
    def length_ms(self) -> int:
        """How long it is."""
        return self.to_ms - self.from_ms


def span(from_: str, to: str, bin_: Bin, now_ms: int) -> Span:
    """The range rounded outward; raises Problem 400 when it is empty, unreadable or too long for its windows."""
    asked = exact(from_, to, now_ms)
    start, end = asked.from_ms, asked.to_ms
    width = (
        bin_ if bin_ != "auto" else "10m" if end - start <= 2 * DAY_MS else "1h" if end - start <= 30 * DAY_MS else "1d"
    )
    width_ms = WIDTHS_MS[width]
    found = Span(floor_ms(start, width_ms), ceil_ms(end, width_ms), width)
    if found.length_ms // width_ms > MAX_BINS:
        wider = "1h" if width == "10m" else "1d"
        days = MAX_BINS * width_ms // DAY_MS
        raise bad_parameter("bin", f"{width} goes up to {days} days: ask for less, or for bin={wider}", [wider])
    return found


def exact(from_: str, to: str, now_ms: int) -> Span:
    """The range as it stands, for what has no windows; raises Problem 400 when it is empty or unreadable."""
    start, end = _instant("from", from_, now_ms), _instant("to", to, now_ms)
    if start >= end:
        raise bad_parameter("from", "the range is empty: from must be before to")
    return Span(start, end, "10m")


def conditions(asked: Common, known: Known) -> tuple[Condition, ...]:
    """The filters; raises Problem 400 for an end that cannot be meant."""
    found: list[Condition] = []
    for name in PLAIN:
        found += one_of(name, getattr(asked, name))
    for side in ("src", "dst"):
        found += _ends(side, getattr(asked, side), known)
    return tuple(found)


def chooses(written: Sequence[str]) -> Callable[[str], bool]:
    """Whether a filter by name lets a name pass."""
    wanted = {value for value in written if not value.startswith("!")}
    refused = {value.removeprefix("!") for value in written if value.startswith("!")}
    return lambda name: (not wanted or name in wanted) and name not in refused


def shares(written: str) -> tuple[float, ...]:
    """Percentiles such as ``50,90,99.9`` as shares; raises Problem 400 for what is none, or too many."""
    try:
        found = tuple(dict.fromkeys(float(part) / 100 for part in written.split(",")))
    except ValueError:
        found = ()
    if not 1 <= len(found) <= MAX_PERCENTILES or not all(0 < share < 1 for share in found):
        raise bad_parameter("p", f"is up to {MAX_PERCENTILES} numbers between 0 and 100, such as 50,90,99")
    return found


def one_of(column: str, written: Iterable[str]) -> list[Condition]:
    """Any of the values, none of those with ! before them; an empty one means none."""
    return [
        Condition(column, "!=" if value.startswith("!") else "=", value.removeprefix("!") or None) for value in written
    ]


def for_report(found: Iterable[Condition], report: Report) -> tuple[Condition, ...]:
    """The conditions, if the report has all of their columns; raises Problem 400 naming the one that it lacks."""
    names = {column.name for column in report.columns}
    for condition in found:
        if condition.column not in names:
            parameter = condition.column.partition("_")[0]
            raise bad_parameter(parameter, f"{report.name} have no {condition.column}: leave it out")
    return tuple(found)


def _ends(side: str, written: list[str], known: Known) -> list[Condition]:
    found, kinds = [], set()
    for value in written:
        excluded, name = value.startswith("!"), value.removeprefix("!")
        kind, colon, rest = name.partition(":")
        if colon and kind in END_KINDS and rest:
            name = rest
        elif colon or not name:
            raise bad_parameter(side, f"{value!r} is no end: write site:NAME, host:NAME or country:NAME", END_KINDS)
        else:
            kind = "site" if known("site", name) else "host"
        if not excluded:
            kinds.add(kind)
        if kind == "host":
            name = name.lower()
        found.append(Condition(f"{side}_{kind}", "!=" if excluded else "=", name))
    if len(kinds) > 1:
        mixed = " and a ".join(sorted(kinds))
        raise bad_parameter(side, f"a {mixed} cannot be joined in one question: ask for one kind at a time")
    return found


def _instant(name: str, written: str, now_ms: int) -> int:
    try:
        return parse_instant(written, now_ms)
    except BadQuery as error:
        raise bad_parameter(name, str(error)) from error
