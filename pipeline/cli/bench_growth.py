"""``bench growth``: what a message costs when tables, workers and links become more, and what becomes dear first."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import NamedTuple

import click

from consumers.kafka import admin
from pipeline.cli import settings as configuration
from pipeline.cli.bench_ingest import Run, commit_waiting, empty_tables, feed_records, fill_tables, named, numbers
from pipeline.cli.bench_report import BenchReport, Figure, print_report
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import json_option
from pipeline.cli.output import say
from pipeline.cli.settings import Settings
from pipeline.devstack.plan import KAFKA, POSTGRES
from pipeline.devstack.stack import Stack
from pipeline.simulator.mix import CLEAN
from pipeline.store.footprint import footprint
from pipeline.store.session import connect

_MILLION = 1_000_000
_MOST_GROWTH = 1.25
"""Times what a message costs in the first case of its kind: what doubles with thirty times the rows will not last."""


class Case(NamedTuple):
    """One measurement: what had grown (``kind``), how far, what it took, and what it left in the store."""

    kind: str
    name: str
    run: Run
    links: int
    disk_gb: float

    @property
    def cost_us(self) -> float:
        """Processor time a message, of workers and of their server side."""
        return self.run.worker_us + self.run.server_us


class Growing:
    """The services of all cases: what one has put into Kafka is behind the group's offsets when the next begins."""

    def __init__(self, settings: Settings, environment: Mapping[str, str], folder: Path, messages: int) -> None:
        self._settings = settings
        self.url: str = settings.need("database_url")
        self._environment = environment
        self._folder = folder
        self._messages = messages
        self._seeds = count(1)

    def measure(self, kind: str, name: str, workers: int = 1, links: int = 0) -> Case:
        """So many new messages, and their way from Kafka into the tables as they are."""
        feed_records(self._settings, self._messages, next(self._seeds), replace(CLEAN, links=links))
        run = commit_waiting(self.url, self._environment, self._messages, workers, self._folder, name)
        with closing(connect(self.url)) as store:
            left = footprint(store)
        return Case(kind, name, run, left.links, left.database_bytes / 1e9)


@click.command()
@click.option("--messages", default=200_000, show_default=True, type=click.IntRange(10_000), help="How many a case.")
@click.option(
    "--rows", default="1,10,30", show_default=True, help="Million older rows in the tables of transfers and starts."
)
@click.option("--workers", default="1,2,4", show_default=True, help="Workers beside each other.")
@click.option("--links", default="1000,10000,100000", show_default=True, help="Links that carry the transfers.")
@json_option
def growth(messages: int, rows: str, workers: str, links: str, as_json: bool) -> None:
    """Commit new messages into ever fuller tables, with ever more workers, over ever more links.

    Each size may be none. Uses a local stack of its own. Thirty million rows take half an hour to make and 25 GB of
    disk.

    \b
    Example:
      transferscope bench growth --rows 1,2 --workers 1,2 --links 1000,10000
    """
    sizes = [("--rows", rows), ("--workers", workers), ("--links", links)]
    millions, beside, between = (rising(text, option) for option, text in sizes)
    with tempfile.TemporaryDirectory(prefix="transferscope-bench-") as name:
        say("starting PostgreSQL and Kafka")
        with Stack.up(Path(name) / "stack", (POSTGRES, KAFKA)) as stack:
            settings = configuration.load(None, stack.env())
            admin.ensure_topics(kafka_access(settings), settings.partitions)
            growing = Growing(settings, {**os.environ, **stack.env()}, Path(name), messages)
            cases = [*_rows(growing, millions), *_workers(growing, beside), *_links(growing, between)]
    print_report(
        BenchReport("growth", {"messages": messages, "partitions": settings.partitions}, figures(cases)), as_json
    )


def _rows(growing: Growing, millions: Sequence[int]) -> Iterator[Case]:
    empty_tables(growing.url)
    filled = 0
    for number in millions:
        wanted = number * _MILLION // 2  # a transfer and its start are two rows
        fill_tables(growing.url, filled, wanted)
        filled = wanted
        yield growing.measure("rows", f"{number} million rows")


def _workers(growing: Growing, counts: Iterable[int]) -> Iterator[Case]:
    for number in counts:
        empty_tables(growing.url)
        yield growing.measure("workers", named(number), number)


def _links(growing: Growing, counts: Iterable[int]) -> Iterator[Case]:
    for number in counts:
        empty_tables(growing.url)
        yield growing.measure("links", f"{number:,} links", links=number)


def figures(cases: Sequence[Case]) -> list[Figure]:
    """Rate and cost of each case, its cost held against the first of its kind, and the case that became dearest."""
    firsts: dict[str, Case] = {}
    found: list[Figure] = []
    grown: list[tuple[float, Case]] = []
    for case in cases:
        first = firsts.setdefault(case.kind, case)
        found.append(Figure(case.name, case.run.rate, "messages/s"))
        found.append(Figure(f"{case.name}: processor time of the workers", case.run.worker_us, "µs a message"))
        found.append(Figure(f"{case.name}: of their server side", case.run.server_us, "µs a message"))
        found.append(Figure(f"{case.name}: most memory of one worker", case.run.memory_mb, "MB"))
        if case.kind == "rows":
            found.append(Figure(f"{case.name}: database afterwards", case.disk_gb, "GB"))
        if case.kind == "links":
            found.append(Figure(f"{case.name}: links with their channels and FTS", case.links, ""))
        if case is not first:
            ratio = case.cost_us / first.cost_us
            grown.append((ratio, case))
            found.append(Figure(f"{case.name}: cost to that of {first.name}", ratio, "", _MOST_GROWTH, True))
    if grown:
        ratio, dearest = max(grown, key=lambda pair: pair[0])
        found.append(
            Figure("what becomes dear first", ratio, f"times the cost, with {dearest.name}: {_most(dearest, firsts)}")
        )
    return found


def _most(case: Case, firsts: Mapping[str, Case]) -> str:
    """Which of the two sides grew more, from what to what."""
    first = firsts[case.kind].run
    sides: dict[str, Callable[[Run], float]] = {
        "workers": lambda run: run.worker_us,
        "their server side": lambda run: run.server_us,
    }
    side = max(sides, key=lambda name: sides[name](case.run) - sides[name](first))
    return f"{side} {sides[side](first):.1f} to {sides[side](case.run):.1f} µs"


def rising(text: str, option: str) -> list[int]:
    """Whole numbers from 1 on, each more than the one before it; of ``none`` none. Raises BadParameter."""
    if text == "none":
        return []
    found = numbers(text)
    if not found or found != sorted(set(found)):
        raise click.BadParameter(f"{text!r} must be rising numbers such as 1,2,4, or none", param_hint=option)
    return found
