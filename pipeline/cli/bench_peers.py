"""``bench peers``: transferscope's worker against what people would take instead, on the same messages in Kafka."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from consumers.kafka import admin
from consumers.kafka.feed import feed
from consumers.kafka.producer import Record
from pipeline.cli import settings as configuration
from pipeline.cli.bench_ingest import named, records
from pipeline.cli.bench_peers_programs import Peer, jars_of, load, python_of
from pipeline.cli.bench_peers_report import Contender, ratios, tables
from pipeline.cli.bench_peers_results import Recount
from pipeline.cli.bench_peers_run import PART_TOPIC, Load, Outcome, Services, run_peer, run_workers
from pipeline.cli.bench_report import BenchReport, print_report
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import json_option
from pipeline.cli.output import say
from pipeline.cli.progress import Progress
from pipeline.cli.settings import Settings
from pipeline.devstack.plan import KAFKA, POSTGRES
from pipeline.devstack.stack import Stack
from pipeline.simulator import Mix, Simulation, simulate
from schemas.topics import FTS_TRANSFER, TOPICS, Topic

GOALS = {"values": 5.0, "faust": 5.0, "quix": 3.0, "bytewax": 2.0, "flink": 2.0}
"""How many times as fast as each peer two workers must be."""

WORKERS = (1, 2)
MIX = Mix(fts2=0, monit=0, poison=0)
"""What FTS3 tells, with repeated, late, displaced and missing messages: the peers read no other era, and no poison."""

_PART = 10
_HOUR_MS = 3_600_000
_BEGIN_BEFORE_MS = 12 * _HOUR_MS
_SPAN_MS = 6 * _HOUR_MS


@click.command()
@click.option("--messages", default=300_000, show_default=True, type=click.IntRange(1_000), help="How many a run.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1), help="Runs of each.")
@click.option("--peers", default="", metavar="NAME,...", help="Only these peers.  [default: all]")
@json_option
def peers(messages: int, rounds: int, peers: str, as_json: bool) -> None:
    """Measure the worker and what people would take instead, one after the other, in alternating order.

    Uses a local stack of its own. All messages are in Kafka before a run, and its rate is that of their second half.
    Slow peers read the first tenth of the messages. Each peer's packages are installed once, in an environment of its
    own under ~/.cache/transferscope/peers.

    \b
    Example:
      transferscope bench peers --peers values,bytewax --messages 100000 --rounds 1
    """
    chosen = _chosen(peers)
    for peer in chosen:
        python_of(peer)
        jars_of(peer)
    with tempfile.TemporaryDirectory(prefix="transferscope-bench-") as folder:
        say("starting PostgreSQL and Kafka")
        with Stack.up(Path(folder) / "stack", (POSTGRES, KAFKA)) as stack:
            services = Services(configuration.load(None, stack.env()), {**os.environ, **stack.env()}, Path(folder))
            whole, part = _fed(services.settings, messages)
            ours = [_ours(workers, whole) for workers in WORKERS]
            theirs = [_peer(peer, part if peer.part else whole) for peer in chosen]
            found = _rounds(rounds, [*ours, *theirs], services)
    contenders = [entrant.contender for entrant in (*ours, *theirs)]
    figures = list(ratios(contenders[: len(ours)], contenders[len(ours) :], found))
    told = {"messages": messages, "rounds": len(found), "partitions": services.settings.partitions, "span": "6 h"}
    print_report(BenchReport("peers", told, figures, tables(contenders, found)), as_json)


class _Entrant(NamedTuple):
    """Who takes part, and how it runs under a name."""

    contender: Contender
    run: Callable[[Services, str], Outcome]


def _ours(workers: int, load: Load) -> _Entrant:
    contender = Contender(
        f"transferscope, {named(workers)}", workers, load.recount.messages, True, True, True, True, "nothing"
    )
    return _Entrant(contender, lambda services, name: run_workers(services, load, workers, name))


def _peer(peer: Peer, load: Load) -> _Entrant:
    does = peer.late, peer.dedupes, peer.joins, peer.stores
    contender = Contender(
        peer.title, peer.processes, load.recount.messages, *does, peer.leaves_out, GOALS.get(peer.name)
    )
    return _Entrant(contender, lambda services, name: run_peer(services, load, peer, name))


def _rounds(rounds: int, entrants: Sequence[_Entrant], services: Services) -> list[dict[str, Outcome]]:
    """Those that came to their end, if somebody does not wait for all of them. Raises KeyboardInterrupt before that."""
    found: list[dict[str, Outcome]] = []
    try:
        for number in range(rounds):
            found.append(_round(number, entrants, services))  # noqa: PERF401 - the interrupt leaves what is there
    except KeyboardInterrupt:
        if not found:
            raise
        say(f"interrupted: {len(found)} of {rounds} rounds are told")
    return found


def _round(number: int, entrants: Sequence[_Entrant], services: Services) -> dict[str, Outcome]:
    """Every second round is in the opposite order."""
    outcomes = {}
    for entrant in entrants if number % 2 == 0 else reversed(entrants):
        name = re.sub(r"\W+", "-", f"{entrant.contender.title} round {number + 1}")
        outcomes[entrant.contender.title] = outcome = entrant.run(services, name)
        say(f"{entrant.contender.title}: {outcome.rate:,.0f} messages/s, {outcome.deviation.told()}")
    return outcomes


def _fed(settings: Settings, messages: int) -> tuple[Load, Load]:
    """The messages in Kafka: all where workers read them, and the first of them in a topic of their own."""
    kafka = kafka_access(settings)
    part_topic = Topic(PART_TOPIC, "transfer key", 1, "the first part of the messages")
    admin.ensure_topics(kafka, settings.partitions, (*TOPICS, part_topic))
    whole, part = Load(FTS_TRANSFER, Recount()), Load(PART_TOPIC, Recount())
    with Progress("into Kafka", "messages", messages) as progress:
        feed(kafka, progress.counting(_records(messages, settings.partitions, whole, part)))
    return whole, part


def _records(messages: int, partitions: int, whole: Load, part: Load) -> Iterator[Record]:
    for number, told in enumerate(records(_simulated(messages), partitions)):
        record = readable(told)
        whole.recount.add(record.value)
        yield record
        if number < messages // _PART:
            part.recount.add(record.value)
            yield record._replace(topic=part.topic)


def readable(record: Record) -> Record:
    """With texts that are UTF-8: Flink's JSON has no way to read others, it ends the job or leaves out the message."""
    return record._replace(value=record.value.decode(errors="replace").encode())


def _simulated(messages: int) -> Simulation:
    return simulate(messages, 1, time.time_ns() // 1_000_000 - _BEGIN_BEFORE_MS, _SPAN_MS, MIX)


def _chosen(names: str) -> list[Peer]:
    known = {peer.name: peer for peer in load()}
    wanted = list(dict.fromkeys(names.split(","))) if names else list(known)
    for name in wanted:
        if name not in known:
            raise click.BadParameter(f"{name!r} is none of {', '.join(known)}", param_hint="--peers")
    return [known[name] for name in wanted]
