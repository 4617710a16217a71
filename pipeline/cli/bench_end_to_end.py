"""``bench end-to-end``: from ActiveMQ to visible in ``report`` at a steady rate, bridge and worker between."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import click

from consumers.bridge.publish import publish
from pipeline.cli import settings as configuration
from pipeline.cli.bench_report import BenchReport, Figure, print_report
from pipeline.cli.brokers import brokers
from pipeline.cli.children import Child, run_to_end
from pipeline.cli.options import json_option
from pipeline.cli.output import say
from pipeline.cli.own_stack import own_stack
from pipeline.simulator import SimMessage, simulate
from pipeline.simulator.mix import CLEAN
from pipeline.store.presence import arrived
from pipeline.store.session import connect
from schemas.keys import routing_key
from schemas.topics import BROKER_TOPICS, FTS_COMPLETE

_POLL_S = 0.05
_LIMIT_S = 60
_HOUR_MS = 3_600_000
_P50_GOAL_S, _P95_GOAL_S = 2.0, 5.0


class _Sent:
    """When each transfer's complete went out; filled by the publisher, emptied as they turn up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, float] = {}
        self._noted: set[str] = set()
        self.latencies: list[float] = []

    def noting(self, messages: Iterator[SimMessage]) -> Iterator[SimMessage]:
        """The same messages; a complete's time is when it is handed on for sending."""
        for message in messages:
            if BROKER_TOPICS[message.topic] == FTS_COMPLETE:
                key = routing_key(message.body)
                if key not in self._noted:  # a retry has the key of its first attempt, whose row would answer for it
                    self._noted.add(key)
                    with self._lock:
                        self._waiting[key] = time.monotonic()
            yield message

    def waiting(self) -> list[str]:
        """The keys that have not turned up."""
        with self._lock:
            return list(self._waiting)

    def seen(self, keys: set[str], at: float) -> None:
        """These have turned up."""
        with self._lock:
            self.latencies += [at - self._waiting.pop(key) for key in keys]


@click.command("end-to-end")
@click.option("--rate", default=1000.0, show_default=True, help="Messages a second.")
@click.option("--seconds", default=60, show_default=True, help="How long.")
@json_option
def end_to_end(rate: float, seconds: int, as_json: bool) -> None:
    """Publish at a steady rate and ask Postgres for each complete until it is there.

    Uses a local stack of its own, with a bridge and a worker as operators run them.

    \b
    Example:
      transferscope bench end-to-end --rate 1000 --seconds 60
    """
    with ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="transferscope-bench-")))
        environment = started.enter_context(own_stack(folder))
        run_to_end(["init"], environment, quiet=True)
        for name in ("bridge", "worker"):
            started.enter_context(Child([name], environment, folder / f"{name}.log"))
        run_to_end(["status", "--wait-idle", "60"], environment, quiet=True)
        settings = configuration.load(None, environment)
        # Each transfer once, all well: a duplicate or a dead letter has no arrival to time.
        simulation = simulate(int(rate * seconds), 1, int(time.time() * 1000) - 2 * _HOUR_MS, _HOUR_MS, CLEAN)
        sent = _Sent()
        publisher = threading.Thread(
            target=publish,
            args=(sent.noting(iter(simulation)), brokers(settings)[0]),
            kwargs={"rate": rate},
            daemon=True,
        )
        say(f"publishing {rate:,.0f} messages/s for {seconds} s")
        publisher.start()
        with closing(connect(settings.need("database_url"))) as store:
            deadline = time.monotonic() + seconds + _LIMIT_S
            while (publisher.is_alive() or sent.waiting()) and time.monotonic() < deadline:
                keys = sent.waiting()
                if keys:
                    found = arrived(store, keys)
                    sent.seen(found, time.monotonic())
                time.sleep(_POLL_S)
    latencies = sorted(sent.latencies)
    cuts = statistics.quantiles(latencies, n=100)
    print_report(
        BenchReport(
            "end-to-end",
            {"rate": f"{rate:,.0f}/s", "seconds": seconds, "bridges": 1, "workers": 1},
            [
                Figure("p50 published to visible", cuts[49], "s", goal=_P50_GOAL_S, lower_is_better=True),
                Figure("p95", cuts[94], "s", goal=_P95_GOAL_S, lower_is_better=True),
                Figure("p99", cuts[98], "s"),
                Figure("slowest", latencies[-1], "s"),
                Figure("completes timed", len(latencies), ""),
                Figure("completes that never turned up", len(sent.waiting()), "", goal=0, lower_is_better=True),
            ],
        ),
        as_json,
    )
