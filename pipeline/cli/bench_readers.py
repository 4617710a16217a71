"""``bench readers``: people who look at pages while a worker commits, and either of them alone."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from consumers.kafka import admin
from pipeline.cli import settings as configuration
from pipeline.cli.bench_ingest import Watch, feed_records
from pipeline.cli.bench_report import BenchReport, Figure, print_report
from pipeline.cli.bench_requests import Client, percentile
from pipeline.cli.children import Child
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import json_option
from pipeline.cli.output import say
from pipeline.cli.progress import Progress
from pipeline.cli.settings import Settings
from pipeline.devstack.plan import KAFKA, POSTGRES
from pipeline.devstack.stack import Stack
from pipeline.store import migrations
from pipeline.store.activity import writer_pids
from pipeline.store.session import connect
from pipeline.store.totals import totals
from pipeline.store.window_filler import fill_windows

_SITES, _DAYS = 200, 2
_PHASES = 4
_GOAL = 0.8
_ALONE_S = 20.0
_STARTED_WITHIN_S = 120.0
_PATHS = ("/", "/matrix", "/api/v1/matrix?from=now-24h", "/errors", "/api/v1/links?from=now-24h")


class _Found(NamedTuple):
    """Messages a second of each phase of the worker, and the ms of requests, alone and with the other."""

    rate_alone: float
    rate_read: float
    alone_ms: list[float]
    beside_ms: list[float]


@click.command()
@click.option("--readers", default=20, show_default=True, type=click.IntRange(1, 200), help="How many.")
@click.option(
    "--pause", default=10.0, show_default=True, type=click.FloatRange(0), help="Seconds between requests of a reader."
)
@click.option("--messages", default=400_000, show_default=True, type=click.IntRange(4_000), help="For the worker.")
@click.option("--links", default=15_000, show_default=True, type=click.IntRange(1, _SITES**2), help="Pairs of hosts.")
@json_option
def readers(readers: int, pause: float, messages: int, links: int, as_json: bool) -> None:
    """Commit messages with one worker while readers open pages, and while they do not, in turn.

    An open page asks every 60 s; these readers ask for another one each 10 s, as somebody does who searches. Uses a
    local stack of its own, filled with two days of windows of links among 200 sites.

    \b
    Example:
      transferscope bench readers --readers 5
    """
    with tempfile.TemporaryDirectory(prefix="transferscope-bench-") as name:
        folder = Path(name)
        say("starting PostgreSQL and Kafka")
        with Stack.up(folder / "stack", (POSTGRES, KAFKA)) as stack:
            environment = {**os.environ, **stack.env()}
            settings = configuration.load(None, stack.env())
            _prepare(settings, messages, links)
            found = _measure(settings, environment, folder, readers, pause, messages)
    print_report(
        BenchReport(
            "readers",
            {"readers": readers, "pause": f"{pause:g} s", "messages": messages, "sites": _SITES, "pairs": links},
            list(_figures(found)),
        ),
        as_json,
    )


def _prepare(settings: Settings, messages: int, links: int) -> None:
    url = settings.need("database_url")
    migrations.upgrade(url)
    with closing(connect(url)) as store, Progress("filling windows", "days", _DAYS + 1) as progress:
        now_ms = time.time_ns() // 1_000_000
        fill_windows(store, now_ms, days=_DAYS, links=links, sites=_SITES, seed=1, progress=progress.advance)
    admin.ensure_topics(kafka_access(settings), settings.partitions)
    feed_records(settings, messages)


def _measure(
    settings: Settings, environment: Mapping[str, str], folder: Path, number: int, pause: float, messages: int
) -> _Found:
    with ExitStack() as started:
        server = started.enter_context(Child(["web", "--port", "0"], environment, folder / "web.log"))
        address = server.told("listening on ", _STARTED_WITHIN_S)
        with closing(Client(address)) as first:
            for path in _PATHS:
                first.get(path)
        say(f"{number} readers alone")
        alone_ms: list[float] = []
        with _reading(address, number, pause, alone_ms):
            time.sleep(_ALONE_S)
        store = started.enter_context(closing(connect(settings.need("database_url"))))
        before = sum(totals(store))
        worker = started.enter_context(Child(["worker"], environment, folder / "worker.log"))
        watch = Watch(lambda: sum(totals(store)) - before, lambda: writer_pids(store), [worker])
        beside_ms: list[float] = []
        rates: dict[bool, list[float]] = {False: [], True: []}
        with Progress("the worker, with readers every other time", "messages", messages) as progress:
            last = watch.await_committed(1, progress)
            for phase in range(_PHASES):
                read = phase % 2 == 1
                with _reading(address, number if read else 0, pause, beside_ms):
                    moment = watch.await_committed(messages * (phase + 1) // _PHASES, progress)
                rates[read].append((moment.committed - last.committed) / (moment.at - last.at))
                last = moment
    return _Found(_mean(rates[False]), _mean(rates[True]), alone_ms, beside_ms)


@contextmanager
def _reading(address: str, number: int, pause: float, found_ms: list[float]) -> Iterator[None]:
    """So many readers, each with a connection of its own, as long as this lasts; ``found_ms`` gets what they waited."""
    over = threading.Event()
    threads = [
        threading.Thread(target=_read, args=(address, place, number, pause, over, found_ms)) for place in range(number)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _read(address: str, place: int, number: int, pause: float, over: threading.Event, found_ms: list[float]) -> None:
    turn = place
    with closing(Client(address)) as client:
        over.wait(pause * place / number)  # not all at once
        while not over.is_set():
            found_ms.append(client.get(_PATHS[turn % len(_PATHS)]).seconds * 1000)
            turn += 1
            over.wait(pause)


def _figures(found: _Found) -> Iterator[Figure]:
    yield Figure("the worker alone", found.rate_alone, "messages/s")
    yield Figure("the worker, with readers", found.rate_read, "messages/s")
    yield Figure("ratio", found.rate_read / found.rate_alone, "", goal=_GOAL)
    for name, share in (("median", 0.5), ("p95", 0.95)):
        yield Figure(f"a reply, readers alone: {name}", percentile(found.alone_ms, share), "ms")
        yield Figure(f"a reply, with the worker: {name}", percentile(found.beside_ms, share), "ms")
    yield Figure("replies, readers alone", len(found.alone_ms), "")
    yield Figure("replies, with the worker", len(found.beside_ms), "")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
