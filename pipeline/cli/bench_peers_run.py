"""One run of ``bench peers``: transferscope's workers, or a peer, with all messages until it is done with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from consumers.kafka.groups import forget_group
from consumers.worker.config import GROUP
from pipeline.cli.bench_ingest import Moment, Watch, empty_tables
from pipeline.cli.bench_peers_programs import Peer, Place, Process, python_of
from pipeline.cli.bench_peers_results import (
    Cell,
    Deviation,
    Recount,
    deviation,
    windows_of,
    windows_of_peer,
    windows_of_store,
)
from pipeline.cli.children import Child
from pipeline.cli.kafka import kafka_access
from pipeline.cli.progress import Progress
from pipeline.cli.resources import Resources
from pipeline.cli.settings import Settings
from pipeline.devstack.plan import free_ports
from pipeline.store.activity import writer_pids
from pipeline.store.session import connect
from pipeline.store.totals import totals

PART_TOPIC = "bench.part"
_DATABASE = "peer"
_STALLED_S = 300.0


class Load(NamedTuple):
    """Messages that are all in a topic of Kafka, and what is in them."""

    topic: str
    recount: Recount


class Outcome(NamedTuple):
    """Of one run, between half of the messages and all: messages a second that the result tells of, processor time a
    message of its processes, without the server's; the most memory of one; and how the result differs.

    A message that is missing from the result does not count as processed.
    """

    rate: float
    cpu_us: float
    memory_mb: float
    deviation: Deviation


class Services(NamedTuple):
    """The stack's, with the environment for transferscope's own commands, and a folder for logs."""

    settings: Settings
    environment: Mapping[str, str]
    folder: Path


def run_workers(services: Services, load: Load, workers: int, name: str) -> Outcome:
    """transferscope, as operators run it."""
    url = services.settings.need("database_url")
    empty_tables(url)
    forget_group(kafka_access(services.settings), GROUP)
    with ExitStack() as started, closing(connect(url)) as store:
        children = [
            started.enter_context(Child(["worker"], services.environment, services.folder / f"{name}-{number}.log"))
            for number in range(workers)
        ]
        # What is stored, not what was read: a worker that joins makes others read some messages twice.
        watch = Watch(lambda: totals(store).stored, lambda: writer_pids(store), children, _STALLED_S)
        expected = load.recount.expected(dedupes=True, joins=True)
        return _outcome(watch, _told(expected), load, name, lambda: windows_of_store(store), expected)


def run_peer(services: Services, load: Load, peer: Peer, name: str) -> Outcome:
    """A peer with a database, a consumer group and folders of its own."""
    url = _new_database(services.settings.need("database_url"))
    place = Place(
        ",".join(services.settings.need("kafka_bootstrap")), load.topic, name, url, free_ports(peer.processes)
    )
    python = python_of(peer)
    with ExitStack() as started, closing(connect(url)) as store:
        processes = [
            started.enter_context(Process(peer, number, python, place, services.folder / f"{name}-{number}"))
            for number in range(peer.processes)
        ]

        def result() -> dict[int, Cell]:
            for process in processes:
                process.end(_STALLED_S)  # Bytewax closes its windows only now
            return windows_of_peer(store) if peer.stores else _written(processes)

        watch = Watch(lambda: sum(process.done() for process in processes), list, processes, _STALLED_S)
        expected = load.recount.expected(peer.dedupes, peer.joins)
        whole = _told(expected) if peer.counts == "result" else load.recount.messages
        return _outcome(watch, whole, load, name, result, expected)


def _told(windows: Mapping[int, Cell]) -> int:
    return sum(cell.messages for cell in windows.values())


def _outcome(
    watch: Watch,
    whole: int,
    load: Load,
    name: str,
    result: Callable[[], dict[int, Cell]],
    expected: Mapping[int, Cell],
) -> Outcome:
    """``whole`` is what the watch sees when all is done. So few messages that half and all came together are measured
    from the start of the processes."""
    messages = load.recount.messages
    begin = Moment(time.perf_counter(), 0, Resources(0, 0), Resources(0, 0))
    with Progress(name, "messages", whole) as progress:
        half = watch.await_committed(whole // 2, progress)
        last = watch.await_committed(whole, progress)
    if half.committed == last.committed:
        half = begin
    found = deviation(result(), expected)
    done, took_s = (last.committed - half.committed) / whole * messages, last.at - half.at
    lost = max(0, -found.messages) / messages
    cpu_s = last.workers.cpu_s - half.workers.cpu_s
    return Outcome(done * (1 - lost) / took_s, cpu_s / done * 1e6, last.workers.highest_mb, found)


def _written(processes: Sequence[Process]) -> dict[int, Cell]:
    rows = []
    for process in processes:
        rows += process.windows()
    return windows_of(rows)


def _new_database(url: str) -> str:
    """The address of an empty database beside the one of this address."""
    with closing(connect(url)) as server, server.cursor() as cursor:
        server.autocommit = True
        cursor.execute(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {_DATABASE}")
    return urlunsplit(urlsplit(url)._replace(path=f"/{_DATABASE}"))
