"""``query``: the reports from the shell, the same answers as the API."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, NamedTuple, TypedDict, Unpack

import click
from rich.console import Console

from pipeline.cli.options import with_settings
from pipeline.cli.output import FORMATS, rich_table, say, write
from pipeline.cli.settings import Settings
from pipeline.cli.spark import heights_for
from pipeline.cli.trend import MOST_WINDOWS, trend_of
from pipeline.cli.watch import Drawing, watch
from pipeline.store.queries.answer import Answer, answer, columns_of
from pipeline.store.queries.columns import Column
from pipeline.store.queries.errors import BadQuery
from pipeline.store.queries.instants import parse_instant, to_datetime
from pipeline.store.queries.question import Question, parse_by, parse_condition, parse_order, report_named
from pipeline.store.queries.reports import REPORTS, WIDTHS
from pipeline.store.session import connect
from pipeline.units import moment

DEFAULT_LIMIT = 1000
WATCH_EVERY_S = 5.0
_NOTHING = Column("", "text")


class Asked(TypedDict):
    """The options as they were written."""

    report: str
    from_: str | None
    to: str | None
    by: tuple[str, ...]
    where: tuple[str, ...]
    window: str | None
    stages: bool
    order: tuple[str, ...]
    limit: int
    spark: str | None
    watch_s: float | None
    form: str


@click.command()
@click.argument("report", type=click.Choice(list(REPORTS)))
@click.option("--from", "from_", metavar="TIME", help="From this time on: ISO 8601, -2h, now-30m.")
@click.option("--to", metavar="TIME", help="Before this time.")
@click.option("--by", multiple=True, metavar="COLUMN,…", help="Add up all rows that agree in these columns.")
@click.option(
    "--where", multiple=True, metavar="CONDITION", help="Only these rows: vo=atlas, 'src_site~CERN*', 'failed>9'."
)
@click.option("--window", type=click.Choice(WIDTHS), help="Width of the windows; without it 10m.")
@click.option("--stages", is_flag=True, help="Also mean, median and 95th percentile of every stage or wait.")
@click.option("--order", multiple=True, metavar="COLUMN,…", help="Sort by these; -COLUMN for falling.")
@click.option("--limit", type=click.IntRange(0), default=DEFAULT_LIMIT, show_default=True, help="Most rows; 0 for all.")
@click.option("--spark", metavar="COLUMN", help="In tables, also a line of each group's COLUMN over the windows.")
@click.option(
    "--watch",
    "watch_s",
    type=click.FloatRange(0.5, 86_400),
    is_flag=False,
    flag_value=WATCH_EVERY_S,
    metavar="[SECONDS]",
    help=f"Ask again every {WATCH_EVERY_S:g} s, or so many, and redraw the table until Ctrl-C.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@with_settings
def query(settings: Settings, /, **asked: Unpack[Asked]) -> None:
    """Show links, channels, endpoints, activities, VOs, errors, queues, file states, transfers, starts in flight,
    dead letters or alerts.

    The newest come first, of alerts the open ones. Tables have units; csv and json have all columns with bytes, ms and
    bytes/s as plain numbers. Conditions on different columns must all hold; of several = or ~ on one column any one.
    Nothing after = means none, as in 'channel='. Efficiency is ok / (ok + failed), empty when there were none;
    throughput is the bytes moved over the time of the window, or over the range of a --by (unknown without --from).
    Queues are never added up: the same jobs stand under every VO and channel of a link, so a --by gives the last, mean
    and largest of all samples.

    vos and vo-sites show the VOs of a link or site side by side: share is the part of each in the bytes moved by all of
    them. vo-pairs compares a VO with each other one on the same link, window by window: windows with the VO, together
    with both, those of them in which it, the other or both were failing (a fifth or more of what finished), and how it
    went together and alone. Correlations need 24 windows. They say what moves together, not why.

    --spark draws a character a window, as many as there is room for (24 to 60, the last ones): without --window the
    narrowest windows of which all fit. Each line reaches up to its own largest value, ratios up to 1; there is a gap
    where a group has no value.

    \b
    Examples:
      transferscope query links --from -2h --by src_site,dst_site --order -failed
      transferscope query channels --window 1d --where vo=cms --format csv
      transferscope query links --from -1d --by vo --stages --json
      transferscope query errors --from -1d --by dst_site,template
      transferscope query transfers --where state=failed --where 'dst_host~*.cern.ch'
      transferscope query transfers --from -1d --order throughput --where 'bytes>=100000000' --limit 20
      transferscope query in-flight --where lost=true
      transferscope query vos --from -1d --by src_site,dst_site --where src_site=CERN-PROD
      transferscope query vo-pairs --from -7d --by src_site,dst_site --where vo=cms --where dst_site=DESY-HH
      transferscope query queues --from -1h --where 'dst_host~*.desy.de' --order -ready_last
      transferscope query states --from -1d --by vo,dst_host --where state=ACTIVE --stages
      transferscope query dead-letters --by reason
      transferscope query alerts --from -1d
      transferscope query links --from -2h --by vo,dst_site --spark failed --watch 10
    """
    database_url = settings.need("database_url")
    if asked["watch_s"] is not None:
        if asked["form"] != "table":
            raise click.UsageError(f"--watch redraws a table: leave out --format {asked['form']} or --watch")
        if not sys.stdout.isatty():
            raise click.UsageError("--watch redraws a table on a terminal, and stdout is none: leave it out")
        watch(lambda: _drawing(database_url, asked), asked["watch_s"])
    elif asked["form"] == "table":
        page = _page(database_url, asked)
        write("table", page.columns, page.rows, drawn=page.drawn)
        say(page.summary)
    else:
        _export(database_url, asked)


class _Page(NamedTuple):
    """A table with a sentence about it; its last ``drawn`` columns are sparklines."""

    columns: list[Column]
    rows: list[list[Any]]
    drawn: int
    summary: str


def _page(database_url: str, asked: Asked) -> _Page:
    question = _understood(asked)
    with closing(connect(database_url)) as connection:
        found = answer(connection, question)
        with closing(found.rows):
            rows = list(found.rows)
        shown = _shown(found, question)
        columns, cells = [found.columns[i] for i in shown], [[row[i] for i in shown] for row in rows]
        drawn = 0
        if asked["spark"] is not None:
            trend = trend_of(question, asked["spark"], asked["window"], _room(columns, cells))
            places = [[column.name for column in found.columns].index(name) for name in question.by]
            groups = [tuple(row[place] for place in places) for row in rows]
            lines = trend.lines(connection, groups, heights_for(sys.stdout.encoding))
            columns.append(trend.header)
            drawn = 1
            cells = [[*row, line] for row, line in zip(cells, lines, strict=True)]
    return _Page(columns, cells, drawn, _summary(found, len(rows), question))


def _room(columns: list[Column], cells: list[list[Any]]) -> int:
    """How many characters a terminal has beside these columns, before their cells would break into lines."""
    if not sys.stdout.isatty():
        return MOST_WINDOWS
    console = Console(file=sys.stdout)
    return console.width - console.measure(rich_table([*columns, _NOTHING], [[*row, ""] for row in cells])).maximum


def _drawing(database_url: str, asked: Asked) -> Drawing:
    page = _page(database_url, asked)
    return Drawing(rich_table(page.columns, page.rows, page.drawn), page.summary)


def _export(database_url: str, asked: Asked) -> None:
    """All columns for programs, written while they are read; they have no sparklines."""
    question = _understood(asked)
    with closing(connect(database_url)) as connection:
        found = answer(connection, question)
        with closing(found.rows):
            rows = _Counted(found.rows)
            write(asked["form"], found.columns, rows)
    if found.has_more:
        say(_summary(found, rows.number, question))


def _understood(asked: Asked) -> Question:
    """What is asked now: relative times start at the present. Raises BadQuery."""
    question = _question(asked, time.time_ns() // 1_000_000)
    if asked["spark"] is not None:
        trend_of(question, asked["spark"], asked["window"])  # refused in every format, before anything is read
    return question


def _question(asked: Asked, now_ms: int) -> Question:
    report = report_named(asked["report"])
    if asked["window"] and not report.windows:
        raise BadQuery(f"{report.name} have no windows to choose: leave --window out")
    if asked["stages"] and not report.stages:
        raise BadQuery(f"{report.name} have no stages: leave --stages out")
    from_ms, to_ms = (None if text is None else parse_instant(text, now_ms) for text in (asked["from_"], asked["to"]))
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise BadQuery("the range is empty: --to must be later than --from")
    by = parse_by(report, asked["by"])
    # Sums over all of time are the same from the widest windows, of which there are the fewest.
    everything = bool(by) and not report.compares and report.time not in by and from_ms is None and to_ms is None
    question = Question(
        report=report,
        now_ms=now_ms,
        from_ms=from_ms,
        to_ms=to_ms,
        width=asked["window"] or ("1d" if everything else "10m"),
        by=by,
        where=tuple(parse_condition(report, condition, now_ms) for condition in asked["where"]),
        limit=asked["limit"] or None,
        stages=asked["stages"],
    )
    names = [column.name for column in columns_of(question)]
    return replace(question, order=parse_order(names, asked["order"]))


def _shown(found: Answer, question: Question) -> list[int]:
    """Which columns a table has: what was grouped by, those that fit, counts and stages."""
    places = {column.name: i for i, column in enumerate(found.columns)}
    asked_for = [column.name for column in found.columns if column not in question.report.columns]
    names = dict.fromkeys((*question.by, *question.report.screen, *asked_for))
    return [places[name] for name in names if name in places]


class _Counted:
    """The rows, counted on their way."""

    def __init__(self, rows: Iterator[Sequence[Any]]) -> None:
        self._rows = rows
        self.number = 0

    def __iter__(self) -> Iterator[Sequence[Any]]:
        for row in self._rows:
            self.number += 1
            yield row


def _summary(found: Answer, number: int, question: Question) -> str:
    rows = "1 row" if number == 1 else f"{number} rows"
    since = "" if found.from_ms is None else f" from {moment(to_datetime(found.from_ms))}"
    until = "" if found.to_ms is None else f" before {moment(to_datetime(found.to_ms))}"
    width = f", windows of {question.width}" if question.report.windows else ""
    more = "; there are more: --limit 0 gives all" if found.has_more else ""
    return f"{rows}{since}{until}{width}{more}"
