"""``status``: how far messages are, how fresh the store is, and whether all of it has come to rest."""

from __future__ import annotations

import time
from typing import Any

import click

from pipeline.cli.errors import ANSWER_IS_NO
from pipeline.cli.flow_state import FlowState, look
from pipeline.cli.options import json_option, with_settings
from pipeline.cli.output import say, write, write_json
from pipeline.cli.progress import Waiting
from pipeline.cli.settings import Settings
from pipeline.cli.storage_view import print_storage, storage_document
from pipeline.cli.topology_load import age_sentence
from pipeline.store.outbox import Depth
from pipeline.store.queries.columns import Column
from pipeline.units import count, moment

POLL_S = 0.5


@click.command()
@click.option(
    "--wait-idle",
    "wait_s",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Wait until all messages are committed, at most so long.",
)
@json_option
@with_settings
def status(settings: Settings, /, wait_s: float | None, as_json: bool) -> None:
    """Show queue depths, consumer lag, freshness, dead letters, the outbox, the topology's age, what is stored.

    And where the health pages of workers and relays are, and pages and API of web.

    Idle means: every configured virtual queue exists and has a consumer, every queue is empty and every message in
    Kafka is committed in the store. Exit code 1 when it is not idle in time, or something is wrong: a queue without
    consumer, a backlog above backlog_limit, a missing topic, an alerter that no longer judges its rules.

    \b
    Examples:
      transferscope status
      transferscope status --wait-idle 60 --json
    """
    state = look(settings, everything=wait_s is not None)
    if wait_s is not None:
        state = _wait(settings, state, wait_s)
    problems = list(state.problems(settings.backlog_limit))
    if as_json:
        write_json(_document(state, problems))
    else:
        _print(state, problems)
    if problems or (wait_s is not None and not state.is_idle):
        raise click.exceptions.Exit(ANSWER_IS_NO)


def _wait(settings: Settings, state: FlowState, wait_s: float) -> FlowState:
    until = time.monotonic() + wait_s
    with Waiting() as waiting:
        while not state.is_idle and time.monotonic() < until:
            unattended = sum(1 for queue in state.queues if not queue.consumers)
            waiting.tell(
                f"{count(state.waiting)} messages under way"
                + (f", {unattended} queues without a consumer" if unattended else "")
            )
            time.sleep(min(POLL_S, max(0.0, until - time.monotonic())))
            state = look(settings, everything=True)
    return state


def _document(state: FlowState, problems: list[str]) -> dict[str, Any]:
    return {
        "idle": state.is_idle,
        "healthy": not problems,
        "problems": problems,
        "waiting": state.waiting,
        "queues": [queue._asdict() for queue in state.queues],
        "groups": [lag._asdict() for lag in state.lags],
        "freshness": [source._asdict() for source in state.freshness],
        "dead_letters": state.dead_letters,
        "outbox": state.outbox._asdict(),
        "workers": list(state.workers),
        "relays": list(state.relays),
        "web": list(state.web),
        "alerts_judged_at": state.judged_at,
        "final": [final._asdict() for final in state.final],
        "topology": state.topology._asdict() if state.topology else None,
        "storage": storage_document(state.storage),
        "left_out": list(state.left_out),
    }


def _print(state: FlowState, problems: list[str]) -> None:
    if state.queues:
        columns = [Column("queue", "text"), Column("broker", "text"), Column("depth", "count")]
        columns += [Column("consumers", "count"), Column("expired", "count")]
        write("table", columns, ([q.name, q.broker, q.depth, q.consumers, q.expired] for q in state.queues))
        print()
    if state.lags:
        columns = [Column("topic", "text"), Column("partition", "count"), Column("committed", "count")]
        columns += [Column("end", "count"), Column("lag", "count")]
        write("table", columns, ([g.topic, g.partition, g.committed, g.end, g.lag] for g in state.lags))
        print()
    if state.freshness:
        names = ("last_event_at", "last_received_at", "last_committed_at")
        columns = [Column("source", "text"), *(Column(name.replace("_", " "), "time") for name in names)]
        write("table", columns, state.freshness)
        print()
    dead = ", ".join(f"{count(number)} {reason}" for reason, number in state.dead_letters.items())
    print(f"dead letters: {dead or 'none'}")
    print(_outbox(state.outbox))
    print(f"workers: {', '.join(state.workers) or 'none'}")
    print(f"relays: {', '.join(state.relays) or 'none'}")
    print(f"web: {', '.join(state.web) or 'none'}")
    print(f"alerts: rules last judged {moment(state.judged_at) if state.judged_at else 'never'}")
    print(age_sentence(state.topology) if state.topology else "topology: none was loaded")
    for final in state.final:
        until = f"until {moment(final.until)}" if final.until else "not yet"
        print(f"windows of {final.topic} are final {until}; the next: {final.held_by}")
    print_storage(state.storage)
    for part in state.left_out:
        print(f"not looked at: {part}")
    for problem in problems:
        say(problem)
    rest = "idle: all messages are committed" if state.is_idle else f"{count(state.waiting)} messages under way"
    print(rest)


def _outbox(depth: Depth) -> str:
    if depth.oldest_s is None:
        return "outbox: empty"
    return f"outbox: {count(depth.rows)} rows wait for transferscope relay, the oldest for {depth.oldest_s:.0f} s"
