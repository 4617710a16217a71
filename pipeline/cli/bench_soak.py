"""``bench soak``: a day of messages in less than an hour, and whether anything grows that must not."""

from __future__ import annotations

import csv
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeVar

import click

from consumers.bridge.publish import publish
from consumers.kafka.feed import feed
from pipeline.cli import settings as configuration
from pipeline.cli.bench_ingest import records
from pipeline.cli.bench_report import BenchReport, Figure, print_report
from pipeline.cli.brokers import brokers
from pipeline.cli.children import Child, Died, run_to_end
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import json_option
from pipeline.cli.output import say
from pipeline.cli.own_stack import own_stack
from pipeline.cli.progress import Progress
from pipeline.cli.settings import Settings
from pipeline.cli.soak_picture import picture
from pipeline.cli.soak_samples import Sample, figures, look
from pipeline.simulator import simulate
from pipeline.simulator.mix import CLEAN
from pipeline.store.footprint import counted_in_windows
from pipeline.store.session import Connection, connect
from pipeline.store.totals import totals

T = TypeVar("T")

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_WORKERS = 2
_AHEAD = 500_000
_ASK_EVERY = 1000
_WAIT_S = 0.2
_STALLED_S = 180.0


@click.command()
@click.option("--messages", default=20_000_000, show_default=True, type=click.IntRange(1000), help="Straight to Kafka.")
@click.option(
    "--through-brokers", default=1_000_000, show_default=True, type=click.IntRange(0), help="By ActiveMQ too."
)
@click.option("--every", default=10.0, show_default=True, help="Seconds between two looks.")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), help="Folder for soak.csv and soak.svg.")
@json_option
def soak(messages: int, through_brokers: int, every: float, into: Path | None, as_json: bool) -> None:
    """Commit a day of messages as fast as two workers can, with a bridge beside them, and hold the end against the
    beginning: memory, open files, connections, the size of tables and of the write-ahead log, the rate.

    Uses a local stack of its own; needs about 4 kB of disk a message. At the end every message is counted once, in the
    windows too, and verify finds no difference.

    \b
    Example:
      transferscope bench soak --messages 1000000 --through-brokers 100000 --into /tmp/soak
    """
    whole = messages + through_brokers
    if into is not None:
        into.mkdir(parents=True, exist_ok=True)
    with ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="transferscope-bench-")))
        environment = started.enter_context(own_stack(folder))
        run_to_end(["init"], environment, quiet=True)
        settings = configuration.load(None, environment)
        with Load(settings, messages, through_brokers) as load:
            children = _children(started, environment, folder)
            store = started.enter_context(closing(connect(settings.need("database_url"))))
            progress = started.enter_context(Progress("soak", "messages", whole))
            samples = _watch(store, children, load, whole, every, progress)
        found, windows = totals(store), counted_in_windows(store)
        say("transferscope verify")
        run_to_end(["verify"], environment, quiet=True)
    if into is not None:
        (into / "soak.svg").write_text(picture(samples), encoding="utf-8")
        _write_csv(into / "soak.csv", samples)
    print_report(
        BenchReport(
            "soak",
            {"messages": messages, "through brokers": through_brokers, "workers": _WORKERS, "every": f"{every:g} s"},
            [
                *figures(samples, whole),
                Figure("messages that came twice and were told apart", found.duplicate, ""),
                Figure("messages that are dead letters", found.dead, "", goal=0, lower_is_better=True),
                Figure("messages that windows count not once", abs(windows - whole), "", goal=0, lower_is_better=True),
                Figure("rate of all", whole / samples[-1].at_s, "messages/s"),
            ],
        ),
        as_json,
    )


class Load:
    """Two streams of messages, so far ahead of the workers that these always have some, and no farther."""

    def __init__(self, settings: Settings, messages: int, through_brokers: int) -> None:
        begin_ms = time.time_ns() // 1_000_000 - _DAY_MS - 2 * _HOUR_MS
        self.committed = 0
        self._sent = 0
        self._published = 0
        self._straight = simulate(messages, 1, begin_ms, _DAY_MS, CLEAN)
        self._through_brokers = simulate(through_brokers, 2, begin_ms, _DAY_MS, CLEAN)
        self._settings = settings
        self._stopped = False
        self._threads = ThreadPoolExecutor(2)
        self._tasks: list[Future[int]] = []

    def __enter__(self) -> Load:
        settings = self._settings
        written = records(self._straight, settings.partitions)
        self._tasks.append(self._threads.submit(feed, kafka_access(settings), self._when(written, self._may_feed)))
        if len(self._through_brokers):
            said = self._when(self._through_brokers, self._may_publish)
            self._tasks.append(self._threads.submit(publish, said, brokers(settings)[0], None, self._note))
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopped = True
        self._threads.shutdown()

    def check(self) -> None:
        """Raises what ended a stream, as KafkaAway and Unreachable."""
        for task in self._tasks:
            if task.done():
                task.result()

    def _may_feed(self, number: int) -> bool:
        self._sent = number
        return number + self._published - self.committed < _AHEAD

    def _may_publish(self, number: int) -> bool:
        """In step with the other stream."""
        return number * len(self._straight) <= (self._sent + _ASK_EVERY) * len(self._through_brokers)

    def _note(self, count: int) -> None:
        self._published += count

    def _when(self, items: Iterable[T], may_go_on: Callable[[int], bool]) -> Iterator[T]:
        for number, item in enumerate(items):
            while number % _ASK_EVERY == 0 and not may_go_on(number) and not self._stopped:
                time.sleep(_WAIT_S)
            if self._stopped:
                return
            yield item


def _children(started: ExitStack, environment: Mapping[str, str], folder: Path) -> dict[str, Child]:
    names = {"bridge": "bridge"} | {f"worker {number}": "worker" for number in range(1, _WORKERS + 1)}
    return {
        name: started.enter_context(Child([command], environment, folder / f"{name}.log"))
        for name, command in names.items()
    }


def _watch(
    store: Connection, children: Mapping[str, Child], load: Load, whole: int, every: float, progress: Progress
) -> list[Sample]:
    """Samples until all is committed. Raises Died when a process dies or nothing moves."""
    pids = {name: child.pid for name, child in children.items()}
    samples: list[Sample] = []
    began = moved = time.monotonic()
    while not samples or samples[-1].committed < whole:
        time.sleep(max(0.0, began + len(samples) * every - time.monotonic()))
        for child in children.values():
            child.check()
        load.check()
        committed = totals(store).stored
        if committed > load.committed:
            progress.advance(committed - load.committed)
            load.committed, moved = committed, time.monotonic()
        elif time.monotonic() - moved > _STALLED_S:
            raise Died(f"the workers stopped at {committed} of {whole} messages")
        samples.append(look(time.monotonic() - began, committed, samples[-1] if samples else None, pids, store))
    return samples


def _write_csv(path: Path, samples: Sequence[Sample]) -> None:
    names = list(dict.fromkeys(name for each in samples for name in each.values))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["seconds", "messages", *names])
        for each in samples:
            writer.writerow([round(each.at_s, 1), each.committed, *(each.values.get(name, "") for name in names)])
