"""``bench alerts``: what it costs to watch many queues of many brokers, in processor time of the real process."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from pipeline.cli.bench_report import BenchReport, Figure, print_report
from pipeline.cli.children import Child, Died, run_to_end
from pipeline.cli.options import json_option
from pipeline.cli.output import say
from pipeline.cli.own_stack import own_stack
from pipeline.cli.resources import used_by
from pipeline.cli.settings import PREFIX
from pipeline.simulator.jolokia import Jolokia, brokers
from pipeline.store.session import connect
from schemas.topics import BROKER_TOPICS

_GOAL_PERCENT = 5.0
_READY_WITHIN_S = 120.0
_EVERY_S = 20


@click.command()
@click.option("--queues", default=500, show_default=True, type=click.IntRange(1), help="Virtual queues in all.")
@click.option("--brokers", "number", default=6, show_default=True, type=click.IntRange(1, 50), help="They are on.")
@click.option("--samples", default=6, show_default=True, type=click.IntRange(2), help="How many are measured.")
@json_option
def alerts(queues: int, number: int, samples: int, as_json: bool) -> None:
    """Watch queues of stand-in brokers with transferscope alerts, on a local stack, every 20 s.

    Counts the processor time of that process alone: what brokers, Kafka and PostgreSQL need for it is theirs.

    \b
    Example:
      transferscope bench alerts --queues 100 --brokers 2 --samples 2
    """
    with tempfile.TemporaryDirectory(prefix="transferscope-bench-") as name:
        folder = Path(name)
        with own_stack(folder) as environment, brokers(shared_out(queues, number)) as standing_in:
            settings = {
                f"{PREFIX}BROKER_API": ",".join(each.url for each in standing_in),
                f"{PREFIX}STOMP_CONSUMER": "c0",
                f"{PREFIX}ALERTS_SAMPLE_SECONDS": str(_EVERY_S),
            }
            environment = {**environment, **settings}
            run_to_end(["init"], environment, quiet=True)
            figures = measure(environment, folder, standing_in, samples)
    settings_told = {"queues": queues, "brokers": number, "samples": samples, "seconds between samples": _EVERY_S}
    print_report(BenchReport("alerts", settings_told, figures), as_json)


def shared_out(queues: int, number: int) -> list[list[str]]:
    """The names of that many virtual queues on that many brokers: those of c0, which are ours, and those of others."""
    topics = list(BROKER_TOPICS)
    names: list[list[str]] = [[] for _ in range(number)]
    for each in range(queues):
        own = names[each % number]
        own.append(f"Consumer.c{len(own) // len(topics)}.{topics[len(own) % len(topics)]}")
    return names


def measure(environment: dict[str, str], folder: Path, servers: Sequence[Jolokia], samples: int) -> list[Figure]:
    """The figures of so many samples, the first of which, with all that begins, is not counted."""
    with Child(["alerts"], environment, folder / "alerts.log") as child:
        _await_asked(child, servers, 2)
        before, began = used_by([child.pid]), time.monotonic()
        say(f"measuring {samples} samples")
        _await_asked(child, servers, 2 + samples)
        used, passed_s = used_by([child.pid]), time.monotonic() - began
    cpu_s = used.cpu_s - before.cpu_s
    with closing(connect(environment[f"{PREFIX}DATABASE_URL"])) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*)::float / count(DISTINCT sampled_at) FROM report.backlog WHERE kind = 'queue'")
        ((rows,),) = cursor.fetchall()
    return [
        Figure("share of a core", 100 * cpu_s / passed_s, "%", _GOAL_PERCENT, lower_is_better=True),
        Figure("processor time of a sample", 1000 * cpu_s / samples, "ms"),
        Figure("queues in a sample", rows, ""),
        Figure("most memory", used.highest_mb, "MB"),
    ]


def _await_asked(child: Child, servers: Sequence[Jolokia], times: int) -> None:
    """Returns when every broker was asked so often. Raises Died when that takes too long."""
    until = time.monotonic() + _READY_WITHIN_S + times * _EVERY_S
    while min(server.asked for server in servers) < times:
        child.check()
        if time.monotonic() > until:
            raise Died(f"transferscope alerts did not ask every broker {times} times in time")
        time.sleep(0.05)
