"""``bench peers``: a peer is installed, run and recounted; the loop, which is installed fastest, with few messages."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from consumers.kafka import admin
from consumers.kafka.feed import feed
from pipeline.cli import settings as configuration
from pipeline.cli.bench_ingest import records
from pipeline.cli.bench_peers import MIX, readable
from pipeline.cli.bench_peers_programs import load
from pipeline.cli.bench_peers_results import Recount
from pipeline.cli.bench_peers_run import Load, Services, run_peer
from pipeline.cli.kafka import kafka_access
from pipeline.devstack.stack import Stack
from pipeline.simulator import simulate
from schemas.topics import Topic
from tests.support.commands import Commands

pytestmark = pytest.mark.stack

MESSAGES = 3000
HOUR_MS = 3_600_000


def test_the_loop_does_what_it_claims(stack: Stack, tmp_path: Path) -> None:
    settings = configuration.load(None, stack.env())
    topic, recount = f"bench-peers-{time.time_ns()}", Recount()
    admin.ensure_topics(kafka_access(settings), settings.partitions, [Topic(topic, "transfer key", 1, "messages")])
    simulation = simulate(MESSAGES, 1, time.time_ns() // 1_000_000 - 12 * HOUR_MS, 6 * HOUR_MS, MIX)
    told = [readable(record)._replace(topic=topic) for record in records(simulation, settings.partitions)]
    feed(kafka_access(settings), told)
    for record in told:
        recount.add(record.value)
    services = Services(settings, {**os.environ, **stack.env()}, tmp_path)
    peer = next(peer for peer in load() if peer.name == "values")
    outcome = run_peer(services, Load(topic, recount), peer, f"values-{time.time_ns()}")
    assert outcome.deviation.told() == "exact"
    assert outcome.rate > 0
    assert outcome.cpu_us > 0
    assert outcome.memory_mb > 10


def test_a_peer_that_is_not_known_is_refused(tmp_path: Path) -> None:
    commands = Commands({}, tmp_path)
    commands("bench", "peers", "--peers", "values,spark", code=2)
    assert "'spark' is none of values, insert" in commands.err
