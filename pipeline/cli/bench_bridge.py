"""``bench bridge``: ActiveMQ to Kafka, against plain stomp.py that only counts the same messages."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import click

from consumers.bridge.bridge import Bridge
from consumers.bridge.link import PREFETCH
from consumers.bridge.publish import create_queues, publish
from consumers.bridge.settings import BrokerSettings
from consumers.kafka.access import KafkaAccess
from consumers.kafka.admin import ensure_topics
from consumers.stomp.noop import consume
from pipeline.cli import settings as configuration
from pipeline.cli.bench_report import BenchReport, Figure, print_report
from pipeline.cli.brokers import brokers
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import json_option
from pipeline.cli.progress import Progress
from pipeline.cli.resources import used_by
from pipeline.devstack.plan import ACTIVEMQ, KAFKA
from pipeline.devstack.stack import Stack
from pipeline.simulator import simulate
from schemas.topics import FTS_COMPLETE

_TOPIC = "transfer.bench"
_PARTITIONS = 4
_LIMIT_S = 300.0
_LOOK_S = 0.005
_GOAL_RATIO = 0.8
_GOAL_MEMORY_MB = 300
_HOUR_MS = 3_600_000


class Measured(NamedTuple):
    """Of one run: messages a second, processor time a message in µs, the highest resident memory in MB."""

    rate: float
    cpu_us: float
    memory_mb: float


class _Message(NamedTuple):
    topic: str
    body: bytes
    headers: Mapping[str, str]


@click.command()
@click.option("--messages", default=20_000, show_default=True, help="How many a round.")
@click.option("--rounds", default=5, show_default=True, help="How often; the median counts.")
@json_option
def bridge(messages: int, rounds: int, as_json: bool) -> None:
    """Bridge simulated messages on a local stack of its own; before or after it, in turn, merely count them.

    \b
    Example:
      transferscope bench bridge --rounds 3
    """
    with (
        tempfile.TemporaryDirectory(prefix="transferscope-bench-") as folder,
        Stack.up(Path(folder), (KAFKA, ACTIVEMQ)) as stack,
    ):
        found = run(configuration.load(None, stack.env()), messages, rounds)
    counted, bridged = found["counted"], found["bridged"]
    ratio = [b.rate / c.rate for b, c in zip(bridged, counted, strict=True)]
    figures = [
        Figure("bridge", statistics.median(m.rate for m in bridged), "messages/s"),
        Figure("plain stomp.py, counting only", statistics.median(m.rate for m in counted), "messages/s"),
        Figure("ratio", statistics.median(ratio), "", goal=_GOAL_RATIO),
        Figure("lowest and highest ratio", min(ratio), f"to {max(ratio):.2f}"),
        Figure("bridge, processor time", statistics.median(m.cpu_us for m in bridged), "µs a message"),
        Figure("counting only, processor time", statistics.median(m.cpu_us for m in counted), "µs a message"),
        Figure("bridge, memory", max(m.memory_mb for m in bridged), "MB", goal=_GOAL_MEMORY_MB, lower_is_better=True),
    ]
    said = {"messages": messages, "rounds": rounds, "prefetch": PREFETCH, "partitions": _PARTITIONS}
    print_report(BenchReport("bridge", said, figures), as_json)


def run(settings: configuration.Settings, messages: int, rounds: int) -> dict[str, list[Measured]]:
    """The rounds of both on the services of the settings, ``counted`` and ``bridged``; either comes first in turn."""
    kafka = kafka_access(settings)
    broker = brokers(settings)[0]
    ensure_topics(kafka, _PARTITIONS)
    both = {name: _for_bench(broker, f"bench-{name}") for name in ("counted", "bridged")}
    for each in both.values():
        create_queues(each)
    found: dict[str, list[Measured]] = {"counted": [], "bridged": []}
    traffic = [_Message(_TOPIC, m.body, m.headers) for m in simulate(messages, 1, _begin_ms(), _HOUR_MS)]
    jobs: dict[str, tuple[Callable[..., float], tuple[Any, ...]]] = {
        "counted": (_count, (both["counted"], messages)),
        "bridged": (_bridge, (both["bridged"], kafka, messages)),
    }
    with Progress("rounds", "rounds", rounds + 1) as progress:
        for number in range(rounds + 1):
            publish(traffic, both["counted"])  # a topic: each of the two queues gets its own copy
            for name in sorted(jobs, reverse=number % 2 == 0):
                measured = _in_a_process(*jobs[name])
                if number:  # the first round warms the brokers up
                    found[name].append(measured)
            progress.advance(1)
    return found


def _begin_ms() -> int:
    return time.time_ns() // 1_000_000 - _HOUR_MS


def _for_bench(broker: BrokerSettings, consumer: str) -> BrokerSettings:
    return BrokerSettings(broker.url, broker.user, broker.password_file, consumer, {_TOPIC: FTS_COMPLETE})


def _in_a_process(work: Callable[..., float], arguments: Sequence[Any]) -> Measured:
    """What a process of its own needs for it, so that neither knows the other's memory."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, tuple(arguments)))


def _measured(work: Callable[..., float], arguments: tuple[Any, ...]) -> Measured:
    begin = time.process_time()
    rate = work(*arguments)
    cpu_s = time.process_time() - begin
    # Not getrusage: its figure begins with the memory of the process that started this one.
    return Measured(rate, cpu_s / arguments[-1] * 1e6, used_by([os.getpid()]).highest_mb)


def _count(broker: BrokerSettings, messages: int) -> float:
    (endpoint,) = broker.endpoints()
    pace = consume(endpoint, broker.login, broker.destination(_TOPIC), PREFETCH, messages, _LIMIT_S)
    return pace.messages / pace.seconds


def _bridge(broker: BrokerSettings, kafka: KafkaAccess, messages: int) -> float:
    """From the first message that came to the last that was acknowledged."""
    stop = threading.Event()
    bridge = Bridge([broker], kafka)
    running = threading.Thread(target=bridge.run, args=(stop,))
    running.start()
    try:
        first = _when(lambda: _sum(bridge, "received") > 0)
        last = _when(lambda: _sum(bridge, "acked") >= messages)
    finally:
        stop.set()
        running.join()
    return messages / (last - first)


def _sum(bridge: Bridge, counter: str) -> int:
    return sum(link[counter] for link in bridge.status())


def _when(condition: Callable[[], bool]) -> float:
    until = time.monotonic() + _LIMIT_S
    while not condition():
        if time.monotonic() > until:
            raise click.ClickException(f"the messages did not pass within {_LIMIT_S:.0f} s")
        time.sleep(_LOOK_S)
    return time.perf_counter()
