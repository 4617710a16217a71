"""``bench ingest``: Kafka to committed in Postgres, with one worker and with two, and its two ends alone beside it."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import click

from consumers.bridge.mapping import Source, record_of
from consumers.kafka import admin
from consumers.kafka.feed import feed
from consumers.kafka.groups import forget_group
from consumers.kafka.producer import Record
from consumers.stomp.frames import Delivery
from consumers.worker.config import GROUP
from consumers.worker.loop import LINGER_S, MOST
from pipeline.cli import settings as configuration
from pipeline.cli.bench_ingest_beside import copy_alone, python_alone, read_alone
from pipeline.cli.bench_report import BenchReport, Figure, print_report
from pipeline.cli.children import Beside, Child, Died
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import json_option
from pipeline.cli.output import say
from pipeline.cli.progress import Progress
from pipeline.cli.resources import Resources, family, used_by
from pipeline.cli.settings import Settings
from pipeline.devstack.plan import KAFKA, POSTGRES
from pipeline.devstack.stack import Stack
from pipeline.simulator import Simulation, simulate
from pipeline.simulator.mix import CLEAN, Mix
from pipeline.store import migrations
from pipeline.store.activity import writer_pids
from pipeline.store.filler import fill
from pipeline.store.session import connect
from pipeline.store.totals import totals
from schemas.topics import BROKER_TOPICS

_GOALS = {1: 12_000.0, 2: 20_000.0}
_MEMORY_GOAL_MB = 300.0
_POLL_S = 0.05
_STALLED_S = 60.0
_HOUR_MS = 3_600_000
_FILLED_MS = 10 * 24 * _HOUR_MS
_FILLED_GOAL = 0.8


class Run(NamedTuple):
    """One run: messages a second between the first and the last commit, and what the processes needed for it.

    ``filled``: how many transfers, each with its start, were in the tables before.
    ``python_rate``: of plain Python before and after it, their mean. ``worker_us`` and ``server_us``: processor time a
    message of the workers and of Postgres for them. ``memory_mb``: the highest of each worker; ``growth_mb``: the most
    that one grew in the second half.
    """

    workers: int
    filled: int
    rate: float
    python_rate: float
    worker_us: float
    server_us: float
    memory_mb: float
    growth_mb: float


@click.command()
@click.option("--messages", default=1_000_000, show_default=True, type=click.IntRange(50_000), help="How many a run.")
@click.option("--workers", default="1,2", show_default=True, help="Runs with so many workers each.")
@click.option(
    "--filled",
    default=0,
    type=click.IntRange(0),
    help="One more run, as the first one, on tables with so many older transfers and their starts.",
)
@json_option
def ingest(messages: int, workers: str, filled: int, as_json: bool) -> None:
    """Commit simulated messages, half starts and half completes of the same transfers, from Kafka into empty tables.

    Uses a local stack of its own and workers as operators run them. All messages are in Kafka before a worker starts.
    With --filled it needs 1.5 kB of disk and 0.1 ms a transfer for filling.

    \b
    Example:
      transferscope bench ingest --messages 200000 --workers 1
    """
    counts = numbers(workers)
    if not counts:
        raise click.BadParameter(f"{workers!r} must be numbers such as 1,2", param_hint="--workers")
    with tempfile.TemporaryDirectory(prefix="transferscope-bench-") as folder:
        say("starting PostgreSQL and Kafka")
        with Stack.up(Path(folder) / "stack", (POSTGRES, KAFKA)) as stack:
            environment = {**os.environ, **stack.env()}
            settings = configuration.load(None, stack.env())
            found = run(settings, environment, messages, counts, Path(folder), filled)
            read_rate = read_alone(kafka_access(settings), messages)
            copy_rate = copy_alone(settings.need("database_url"), min(messages, 200_000))
    print_report(
        BenchReport(
            "ingest",
            {
                "messages": messages,
                "filled": filled,
                "partitions": settings.partitions,
                "batch": MOST,
                "linger": f"{LINGER_S} s",
            },
            [*_figures(found), *_beside(found, read_rate, copy_rate)],
        ),
        as_json,
    )


def run(
    settings: Settings, environment: Mapping[str, str], messages: int, workers: Sequence[int], folder: Path, filled: int
) -> list[Run]:
    """A run with each number of workers on the services of the settings, whose tables and topics it empties; then one
    with the first number on filled tables, if they are to be filled."""
    kafka = kafka_access(settings)
    admin.ensure_topics(kafka, settings.partitions)
    feed_records(settings, messages)
    plan = [(number, 0) for number in workers] + ([(workers[0], filled)] if filled else [])
    return [_run(settings, environment, messages, number, folder, rows) for number, rows in plan]


def feed_records(settings: Settings, messages: int, seed: int = 1, mix: Mix = CLEAN) -> None:
    """The messages of a simulation into Kafka, beside what is there."""
    simulation = simulate(messages, seed, time.time_ns() // 1_000_000 - 2 * _HOUR_MS, mix=mix)
    with Progress("into Kafka", "messages", messages) as progress:
        feed(kafka_access(settings), progress.counting(records(simulation, settings.partitions)))


def _run(
    settings: Settings, environment: Mapping[str, str], messages: int, workers: int, folder: Path, filled: int
) -> Run:
    url = settings.need("database_url")
    empty_tables(url)
    if filled:
        fill_tables(url, 0, filled)
    forget_group(kafka_access(settings), GROUP)
    return commit_waiting(url, environment, messages, workers, folder, _named(workers, filled), filled)


def commit_waiting(
    url: str,
    environment: Mapping[str, str],
    messages: int,
    workers: int,
    folder: Path,
    name: str,
    filled: int = 0,
) -> Run:
    """Workers commit so many messages, which wait for them in Kafka; they log into a file of ``name``."""
    python_before = python_alone()
    with ExitStack() as started, closing(connect(url)) as store:
        before = sum(totals(store))
        children = [
            started.enter_context(
                Child(["worker"], environment, folder / f"worker {name} {number}.log".replace(" ", "-"))
            )
            for number in range(workers)
        ]
        watch = Watch(lambda: sum(totals(store)) - before, lambda: writer_pids(store), children)
        progress = started.enter_context(Progress(name, "messages", messages))
        first = watch.await_committed(1, progress)
        half = watch.await_committed(messages // 2, progress)
        last = watch.await_committed(messages, progress)
    committed = last.committed - first.committed
    return Run(
        workers,
        filled,
        committed / (last.at - first.at),
        (python_before + python_alone()) / 2,
        (last.workers.cpu_s - first.workers.cpu_s) / committed * 1e6,
        (last.server.cpu_s - first.server.cpu_s) / committed * 1e6,
        last.workers.highest_mb,
        last.workers.highest_mb - half.workers.highest_mb,
    )


class Moment(NamedTuple):
    """How far it was when, and what had been used until then."""

    at: float
    committed: int
    workers: Resources
    server: Resources


class Watch:
    """Looks at the store and at the processes."""

    def __init__(
        self,
        committed: Callable[[], int],
        servers: Callable[[], list[int]],
        children: Sequence[Beside],
        stalled_s: float = _STALLED_S,
    ) -> None:
        """How many messages are committed, the processes of the server that work for the children, and how long nothing
        may come of them."""
        self._committed = committed
        self._servers = servers
        self._children = children
        self._stalled_s = stalled_s
        self._told = 0

    def await_committed(self, wanted: int, progress: Progress) -> Moment:
        """The moment in which so many messages were committed. Raises Died when a worker dies or none goes on."""
        until = time.monotonic() + self._stalled_s
        while (committed := self._committed()) < wanted:
            for child in self._children:
                child.check()
            if committed > self._told:
                progress.advance(committed - self._told)
                self._told, until = committed, time.monotonic() + self._stalled_s
            if time.monotonic() > until:
                raise Died(f"nothing came any more at {committed} of {wanted} messages")
            time.sleep(_POLL_S)
        at = time.perf_counter()
        pids = [pid for child in self._children for pid in family(child.pid)]
        return Moment(at, committed, used_by(pids), used_by(self._servers()))


def records(simulation: Simulation, partitions: int) -> Iterator[Record]:
    """The messages as a bridge writes them."""
    sources = {topic: Source("bench:61613", topic, kind, partitions) for topic, kind in BROKER_TOPICS.items()}
    for number, message in enumerate(simulation):
        headers = {name: text.encode() for name, text in message.headers.items()}
        headers |= {
            "message-id": b"ID:bench-%d:%d" % (simulation.seed, number),
            "content-length": b"%d" % len(message.body),
        }
        yield record_of(Delivery(headers, message.body), sources[message.topic], message.received_ms)


def named(workers: int) -> str:
    """``1 worker``, ``2 workers``."""
    return "1 worker" if workers == 1 else f"{workers} workers"


def _named(workers: int, filled: int) -> str:
    name = named(workers)
    return f"{name}, filled tables" if filled else name


def empty_tables(url: str) -> None:
    """The store as ``init`` makes it, whatever was in it."""
    migrations.upgrade(url)
    migrations.downgrade(url, "base")
    migrations.upgrade(url)


def fill_tables(url: str, filled: int, wanted: int) -> None:
    """Older transfers with their starts, from ``filled`` up to ``wanted`` of them."""
    now_ms = time.time_ns() // 1_000_000
    with closing(connect(url)) as store, Progress("filling tables", "transfers", wanted - filled) as progress:
        fill(store, range(filled, wanted), now_ms - _FILLED_MS, now_ms, progress.advance)


def _figures(found: Sequence[Run]) -> Iterator[Figure]:
    empty_rates = {each.workers: each.rate for each in found if not each.filled}
    for each in found:
        name = _named(each.workers, each.filled)
        goal = _FILLED_GOAL * empty_rates[each.workers] if each.filled else _GOALS.get(each.workers)
        yield Figure(name, each.rate, "messages/s", goal=goal)
        yield Figure(f"{name}: for a million rounds of plain Python", each.rate / each.python_rate * 1e6, "messages")
        yield Figure(f"{name}: processor time of the workers", each.worker_us, "µs a message")
        yield Figure(f"{name}: processor time of their server side", each.server_us, "µs a message")
        memory = each.memory_mb
        yield Figure(f"{name}: most memory of one", memory, "MB", goal=_MEMORY_GOAL_MB, lower_is_better=True)
        yield Figure(f"{name}: of that in the second half", each.growth_mb, "MB")


def _beside(found: Sequence[Run], read_rate: float, copy_rate: float) -> Iterator[Figure]:
    yield Figure("reading alone, one client", read_rate, "messages/s")
    yield Figure("COPY of finished rows alone", copy_rate, "messages/s")
    for each in found:
        if each.workers == 1 and not each.filled:
            yield Figure("1 worker to reading alone", each.rate / read_rate, "")
            yield Figure("1 worker to COPY alone", each.rate / copy_rate, "")


def numbers(text: str) -> list[int]:
    """Whole numbers from 1 on, with commas between them; none where it is anything else."""
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        return []
    return found if min(found) >= 1 else []
