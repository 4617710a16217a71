"""Half an hour around the limit, on real services: ``python -m tests.jitter --minutes 30``.

Keeps the depth of several queues of a real ActiveMQ wandering around 5000, runs ``transferscope alerts``, recounts the
alerts from the samples that it published, and tells how long raising and clearing took. Exit code 1 if one differs or
takes longer than a minute. On services of its own, unless the environment names some; in a database and with queues of
its own in any case.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import uuid
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

from pipeline.cli.machine import line, machine
from tests.support.commands import Commands
from tests.support.emptied import remove_queues
from tests.support.jitter import Outcome, jitter
from tests.support.postgres import empty
from tests.support.services import services

BAR_S = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.jitter", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="how long the queues wander (default: 30)")
    parser.add_argument("--queues", type=int, default=4, help="how many of them, up to 6 (default: 4)")
    parser.add_argument("--limit", type=int, default=5000, help="messages that may wait (default: 5000)")
    parser.add_argument("--sample-seconds", type=int, default=20, help="time between two samples (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="of the ways that they take (default: 1)")
    chosen = parser.parse_args()
    with ExitStack() as used:
        folder = Path(used.enter_context(tempfile.TemporaryDirectory(prefix="transferscope-jitter-")))
        environment = used.enter_context(services(folder, os.environ)).env()
        url = used.enter_context(empty(environment["TRANSFERSCOPE_DATABASE_URL"]))
        consumer = f"jitter-{uuid.uuid4().hex[:12]}"
        used.callback(remove_queues, environment, consumer)
        own = {"TRANSFERSCOPE_DATABASE_URL": url, "TRANSFERSCOPE_STOMP_CONSUMER": consumer}
        commands = used.enter_context(closing(Commands(environment | own, folder)))
        commands("init")
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {line(machine())}", flush=True)
        outcome = jitter(commands, chosen.minutes * 60, chosen.limit, chosen.sample_seconds, chosen.queues, chosen.seed)
    print(f"seed {chosen.seed}, limit {chosen.limit}, a sample every {chosen.sample_seconds} s, {chosen.minutes:g} min")
    return report(outcome)


def report(outcome: Outcome) -> int:
    """Tells it to people; the exit code."""
    print(
        f"{outcome.queues} queues, {outcome.moves} moves, {outcome.samples} samples of queues: "
        f"{outcome.crossings} crossings, {outcome.raised} raised, {outcome.cleared} cleared"
    )
    too_long = False
    for what, times in (
        ("raised", outcome.raise_s),
        ("told that it is raised", outcome.raise_told_s),
        ("cleared", outcome.clear_s),
        ("told that it is cleared", outcome.clear_told_s),
    ):
        if times:
            too_long |= max(times) > BAR_S
            middle = sorted(times)[len(times) // 2]
            print(f"{what:<24} longest {max(times):5.1f} s, median {middle:5.1f} s   goal at most {BAR_S:.0f}")
    print("exactly the alerts of the rule" if not outcome.differences else "\n".join(outcome.differences))
    return 1 if outcome.differences or too_long or not outcome.raised else 0


if __name__ == "__main__":
    sys.exit(main())
