"""``bench bulk``: a recorded day into the store, and that day made anew from its rows."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

from pipeline.cli import settings as configuration
from pipeline.cli.bench_report import BenchReport, Figure, print_report
from pipeline.cli.children import Died, program
from pipeline.cli.options import json_option
from pipeline.cli.output import say
from pipeline.cli.progress import Progress
from pipeline.devstack.plan import POSTGRES
from pipeline.devstack.stack import Stack
from pipeline.recording import Recording
from pipeline.simulator import simulate, write_jsonl
from pipeline.simulator.mix import ALL
from pipeline.store import migrations
from schemas.topics import KNOWN_TOPICS

_DAY_MS = 86_400_000
_RATE_GOAL = 15_000.0
_RECOMPUTE_GOAL_S = 120.0
_READ_ALONE = 100_000


class Ran(NamedTuple):
    """What a command answered, and how long it took from start to end."""

    answer: dict[str, Any]
    seconds: float


@click.command()
@click.option("--messages", default=2_000_000, show_default=True, type=click.IntRange(1000), help="How many in a day.")
@click.option("--processes", type=click.IntRange(1, 64), help="As in replay.  [default: as replay chooses]")
@json_option
def bulk(messages: int, processes: int | None, as_json: bool) -> None:
    """Replay a simulated day of all kinds of messages, recompute it, and verify it, as an operator does.

    Uses a PostgreSQL of its own. Commands are timed whole, with their start. Needs 2 kB of disk a message.

    \b
    Example:
      transferscope bench bulk --messages 200000
    """
    with tempfile.TemporaryDirectory(prefix="transferscope-bench-") as name:
        folder = Path(name)
        recorded = folder / "day.jsonl.zst"
        begin_ms = (int(time.time() * 1000) // _DAY_MS - 1) * _DAY_MS
        with Progress("simulating", "messages", messages) as progress:
            simulation = simulate(messages, 1, begin_ms, _DAY_MS, ALL)
            write_jsonl(progress.counting(simulation), recorded)
        read_rate = _read_alone(recorded)
        with Stack.up(folder / "stack", (POSTGRES,)) as stack:
            environment = {**os.environ, **stack.env()}
            migrations.upgrade(environment[f"{configuration.PREFIX}DATABASE_URL"])
            shared = ["--processes", str(processes)] if processes else []
            replayed = _run(["replay", str(recorded), *shared], environment)
            recomputed = _run(["recompute"], environment)
            verified = _run(["verify"], environment)
    rate = messages / replayed.seconds
    print_report(
        BenchReport(
            "bulk",
            {"messages": messages, "processes": processes or "default"},
            [
                Figure("replay into the store", rate, "messages/s", goal=_RATE_GOAL),
                Figure("ratio to reading the file alone", rate / read_rate, ""),
                Figure("messages that became dead letters", replayed.answer["dead"], ""),
                Figure("recompute", recomputed.seconds, "s", goal=_RECOMPUTE_GOAL_S, lower_is_better=True),
                Figure("cells that recompute changed", recomputed.answer["changed"], "", 0, lower_is_better=True),
                Figure("verify", verified.seconds, "s"),
                Figure("cells that verify compared", verified.answer["cells"], ""),
            ],
        ),
        as_json,
    )


def _read_alone(recorded: Path) -> float:
    """Messages a second that one process reads from the file when nobody does anything with them."""
    began = time.perf_counter()
    number = sum(1 for number, _ in zip(range(_READ_ALONE), Recording(recorded, dict(KNOWN_TOPICS)), strict=False))
    return number / (time.perf_counter() - began)


def _run(arguments: list[str], environment: Mapping[str, str]) -> Ran:
    say(f"transferscope {' '.join(arguments)}")
    began = time.perf_counter()
    done = subprocess.run(
        [*program(), *arguments, "--json"], env=dict(environment), stdout=subprocess.PIPE, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode not in (0, 1):
        raise Died(f"transferscope {arguments[0]} ended with code {done.returncode}: what it said stands above")
    return Ran(json.loads(done.stdout), seconds)
