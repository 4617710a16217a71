"""``demo``: the main job on a real local stack, from nothing to tables that equal the simulator's truth."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path

import click

from consumers.bridge.publish import publish
from pipeline.cli import settings as configuration
from pipeline.cli.brokers import brokers
from pipeline.cli.children import Child, run_to_end
from pipeline.cli.errors import ANSWER_IS_NO, DONE
from pipeline.cli.flow_view import Flow, FlowView
from pipeline.cli.output import say
from pipeline.cli.own_stack import own_stack
from pipeline.simulator import ALL, Simulation, simulate
from pipeline.simulator.check import cells, differences
from pipeline.simulator.places import endpoint_of, topology
from pipeline.store.alerts import open_subjects
from pipeline.store.readback import read_back
from pipeline.store.session import connect
from pipeline.store.totals import totals
from pipeline.units import count
from schemas.topics import KNOWN_TOPICS

_HOUR_MS = 3_600_000
_STOMP_BROKERS = f"{configuration.PREFIX}STOMP_BROKERS"
_IDLE_LIMIT_S = "180"
_START_LIMIT_S = 120.0
_ARRIVAL_LIMIT_S = 60
_ALERT_LIMIT_S = 30
_POLL_S = 0.5
_SHOWN = 20
_ROWS = "8"
_PROCESSES = (["bridge"], ["worker"], ["alerts"], ["web", "--port", "0"])
_TABLES = (
    (
        "Links between sites, most bytes first",
        ["links", "--window", "1d", "--by", "technology,src_site,dst_site", "--order", "-bytes"],
    ),
    ("Bytes by technology", ["links", "--window", "1d", "--by", "technology"]),
    ("Channels, most failures first", ["channels", "--window", "1d", "--by", "vo,channel", "--order", "-failed"]),
    ("Failures by kind", ["errors", "--by", "scope,phase,category,code", "--order", "-count"]),
    ("Queues, longest first", ["queues", "--by", "fts,vo,src_host,dst_host", "--order", "-ready_max"]),
    ("Starts in flight, and whether a state message closed them", ["in-flight", "--by", "closed_by_state,vo"]),
    ("Dead letters by reason", ["dead-letters", "--by", "reason"]),
)


@click.command()
@click.option("--messages", default=20_000, show_default=True, type=click.IntRange(1), help="How many to publish.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another hour.")
@click.option("--exit", "leave", is_flag=True, help="End after the check instead of staying up.")
def demo(messages: int, seed: int, leave: bool) -> int:
    """Start PostgreSQL, Kafka, ActiveMQ and the pages here, publish a simulated hour of messages, check the tables.

    Everything is real: messages go through ActiveMQ's virtual queues, the bridge, Kafka and a worker into Postgres.
    They are of all kinds: transfers, states and queues of FTS, file accesses and third-party copies of xrootd.
    The simulator knows what must come out, although it sends duplicates, late, lost and broken messages; the exit
    code is 1 if anything differs. Of broken ones a second is enough for an alert here, which the pages show too. The
    stack lives in a temporary folder and ends with the demonstration.

    \b
    Example:
      transferscope demo --messages 50000 --exit
    """
    with ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="transferscope-demo-")))
        environment = _configured(started.enter_context(own_stack(folder)), folder)
        run_to_end(["init"], environment)
        children = [
            started.enter_context(Child(arguments, environment, folder / f"{arguments[0]}.log"))
            for arguments in _PROCESSES
        ]
        pages = children[-1].told("listening on ", _START_LIMIT_S)
        print(f"pages and API: {pages}", flush=True)
        run_to_end(["status", "--wait-idle", _IDLE_LIMIT_S], environment, quiet=True)
        simulation = simulate(messages, seed, int(time.time() * 1000) - 2 * _HOUR_MS, _HOUR_MS, ALL)
        _publish(simulation, environment, children)
        run_to_end(["status", "--wait-idle", _IDLE_LIMIT_S], environment, quiet=True)
        for title, question in _TABLES:
            print(f"\n{title}", flush=True)
            run_to_end(["query", *question, "--limit", _ROWS], environment)
        _show_alerts(environment)
        equal = _check(simulation, environment)
        if not leave:
            _stay(environment, children, pages)
    return DONE if equal else ANSWER_IS_NO


def _configured(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment, with a configuration that also subscribes the topics of xrootd, and the simulated topology."""
    known, url = dict(environment), environment[_STOMP_BROKERS]
    del known[_STOMP_BROKERS]  # it would win over the table
    config, places = folder / "transferscope.toml", folder / "places.json"
    lines = [f"[[broker]]\nurl = {json.dumps(url)}\n[broker.topics]"]
    lines += [f"{json.dumps(topic)} = {json.dumps(kind)}" for topic, kind in KNOWN_TOPICS.items()]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    places.write_text(json.dumps(topology()), encoding="utf-8")
    chosen = {"TOPOLOGY": str(places), "ALERTS_SAMPLE_SECONDS": "5", "ALERTS_DEAD_LETTERS": "1"}
    own = {f"{configuration.PREFIX}{name}": value for name, value in chosen.items()}
    return known | own | {configuration.CONFIG_VARIABLE: str(config)}


def _show_alerts(environment: Mapping[str, str]) -> None:
    """The open alerts, once there are some: the rules look every few seconds."""
    until = time.monotonic() + _ALERT_LIMIT_S
    with closing(connect(environment[f"{configuration.PREFIX}DATABASE_URL"])) as store:
        while time.monotonic() < until:
            with store, store.cursor() as cursor:
                if open_subjects(cursor):
                    break
            time.sleep(_POLL_S)
    print("\nAlerts", flush=True)
    run_to_end(["query", "alerts", "--limit", _ROWS], environment)


class _Publishing(threading.Thread):
    """Publishes a simulation to the first broker, beside the view."""

    def __init__(self, simulation: Simulation, environment: Mapping[str, str]) -> None:
        super().__init__(name="publish", daemon=True)
        self._simulation = simulation
        self._broker = brokers(configuration.load(None, environment))[0]
        self.published = 0
        self.problem: Exception | None = None

    def run(self) -> None:
        try:
            publish(self._simulation, self._broker, rate=None, progress=self._advance)
        except Exception as problem:  # noqa: BLE001 - the thread's outermost frame; the caller raises it again
            self.problem = problem

    def _advance(self, number: int) -> None:
        self.published += number


def _publish(simulation: Simulation, environment: Mapping[str, str], children: Sequence[Child]) -> None:
    """Publish, and show how the messages arrive until all have, or none for a minute."""
    publishing = _Publishing(simulation, environment)
    publishing.start()
    url = environment[f"{configuration.PREFIX}DATABASE_URL"]
    with closing(connect(url)) as store, FlowView(len(simulation)) as view:
        arrived, changed_at = -1, time.monotonic()
        while publishing.is_alive() or arrived < len(simulation):
            for child in children:
                child.check()
            now = totals(store)
            if sum(now) != arrived:
                arrived, changed_at = sum(now), time.monotonic()
            view.show(Flow(publishing.published, now))
            if time.monotonic() - changed_at > _ARRIVAL_LIMIT_S and not publishing.is_alive():
                break
            time.sleep(0.5)
    if publishing.problem is not None:
        raise publishing.problem


def _check(simulation: Simulation, environment: Mapping[str, str]) -> bool:
    """Say whether the store holds what the simulation must give; the first differences if it does not."""
    truth = simulation.truth(endpoint_of)
    with closing(connect(environment[f"{configuration.PREFIX}DATABASE_URL"])) as store:
        found = differences(truth, read_back(store))
        shown = list(islice(found, _SHOWN))
        more = sum(1 for _ in found)
    compared = (
        f"{count(cells(truth))} cells, {count(len(truth.pairs))} pairs, {count(len(truth.in_flight))} starts in "
        f"flight, {count(sum(truth.dead.values()))} dead letters"
    )
    if not shown:
        print(f"\nequal to the simulator's truth: {compared}", flush=True)
        return True
    print(f"\nNOT equal to the simulator's truth, {count(len(shown) + more)} differences in {compared}:")
    print("\n".join(shown), flush=True)
    return False


def _stay(environment: Mapping[str, str], children: Sequence[Child], pages: str) -> None:
    """Keep everything up until Ctrl-C, and tell how to look around."""
    settings = "\n".join(
        f"  export {name}={value}" for name, value in environment.items() if name.startswith(configuration.PREFIX)
    )
    print(
        f"\nAll of it stays up until Ctrl-C. Look at {pages}, its alerts at {pages}/alerts, or in another shell:\n"
        f"{settings}\n  transferscope status",
        flush=True,
    )
    try:
        while True:
            for child in children:
                child.check()
            time.sleep(1)
    except KeyboardInterrupt:
        say("stopping")
