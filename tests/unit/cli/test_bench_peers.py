"""``bench peers``: what is expected of each contender, how far a result is from it, and how rounds are told."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from pipeline.cli.bench_peers import GOALS
from pipeline.cli.bench_peers_programs import PEERS, load
from pipeline.cli.bench_peers_report import Contender, ratios, tables
from pipeline.cli.bench_peers_results import Cell, Deviation, Recount, deviation, windows_of
from pipeline.cli.bench_peers_run import Outcome
from pipeline.cli.bench_report import Figure
from pipeline.devstack.jars import locked
from pipeline.simulator import Mix, simulate
from pipeline.simulator.windows import window_start

BEGIN_MS = 1_795_312_800_000
ROUGH = Mix(fts2=0, monit=0, poison=0, duplicate=0.1, late=0.1, displaced=0.2, missing_start=0.1, missing_complete=0.1)
EXACT = Deviation(0, 0, 0)


def outcome(rate: float, found: Deviation = EXACT) -> Outcome:
    return Outcome(rate, 50.0, 100.0, found)


def contender(title: str, goal: float | None = None) -> Contender:
    return Contender(title, 1, 1000, True, True, True, False, "much", goal)


def test_the_recount_is_the_simulators_truth() -> None:
    simulation = simulate(3000, 7, BEGIN_MS, 3 * 3_600_000, ROUGH)
    recount = Recount()
    for message in simulation:
        recount.add(message.body.decode(errors="replace").encode())
    truth = simulation.truth()
    wanted: dict[int, Cell] = defaultdict(Cell)
    for key, window in truth.windows["10m"].items():
        counts = (window.started, window.ok, window.failed, window.aborted, window.bytes, 0)
        wanted[key.start_ms] = wanted[key.start_ms].plus(counts)
    for start_ms, number in Counter(window_start(ended_ms) for _, _, ended_ms in truth.pairs).items():
        wanted[start_ms] = wanted[start_ms]._replace(paired=number)
    found = recount.expected(dedupes=True, joins=True)
    assert found == {begin: cell for begin, cell in wanted.items() if any(cell)}
    repeated = sum(cell.messages for cell in recount.expected(dedupes=False, joins=False).values())
    assert repeated == recount.messages == 3000
    assert sum(cell.messages for cell in found.values()) == 3000 - truth.duplicates < 3000


def test_rows_of_links_are_added_up_and_windows_of_nothing_left_out() -> None:
    rows = [(600_000, 1, 0, 0, 0, 0, 0), (600_000, 0, 2, 0, 0, 70, 1), (1_200_000, 0, 0, 0, 0, 0, 0)]
    assert windows_of(rows) == {600_000: Cell(1, 2, 0, 0, 70, 1)}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({0: Cell(3, 2, 1, 0, 50, 2)}, "exact"),
        ({0: Cell(3, 2, 0, 0, 50, 2)}, "1 windows differ, -1 messages"),
        ({0: Cell(4, 2, 1, 0, 50, 2), 600_000: Cell(started=1)}, "2 windows differ, +2 messages"),
        ({0: Cell(3, 2, 1, 0, 50, 0)}, "1 windows differ, -2 pairs"),
        ({0: Cell(3, 2, 1, 0, 51, 2)}, "1 windows differ"),
        ({}, "1 windows differ, -6 messages, -2 pairs"),
    ],
)
def test_a_result_is_compared_cell_by_cell(found: dict[int, Cell], told: str) -> None:
    assert deviation(found, {0: Cell(3, 2, 1, 0, 50, 2)}).told() == told


def test_a_ratio_is_the_median_of_the_rounds_and_only_the_last_of_ours_has_the_goal() -> None:
    one, two, peer, other = contender("one"), contender("two"), contender("peer", goal=2.0), contender("other")
    rounds = [
        {"one": outcome(10), "two": outcome(20), "peer": outcome(10), "other": outcome(40)},
        {"one": outcome(10), "two": outcome(60), "peer": outcome(20), "other": outcome(40)},
        {"one": outcome(10), "two": outcome(19), "peer": outcome(10), "other": outcome(40)},
    ]
    found = list(ratios([one, two], [peer, other], rounds))
    assert [figure.value for figure in found] == [1.0, 2.0, 0.25, 0.5]
    assert [figure.goal for figure in found] == [None, 2.0, None, None]
    assert [figure.reached for figure in found] == [None, True, None, None]
    assert found[1] == Figure("two to peer", 2.0, "times as fast", goal=2.0)


def test_the_tables_tell_the_median_and_the_worst_result() -> None:
    rounds = [{"peer": outcome(30)}, {"peer": outcome(10, Deviation(2, -5, 0))}, {"peer": outcome(20)}]
    told = tables([contender("peer")], rounds)
    assert told["measured"].rows == [("peer", 1, 1000, 20, 10, 30, 50, 100, "2 windows differ, -5 messages")]
    assert told["work"].rows == [("peer", "yes", "yes", "yes", "no", "much")]


def test_every_peer_has_its_program_and_a_lock_of_what_it_asks_for() -> None:
    peers = load()
    assert {peer.name for peer in peers} >= GOALS.keys()
    for peer in peers:
        folder = PEERS / peer.folder
        assert (folder / f"{peer.command[1]}.py").exists()
        assert peer.counts in {"messages", "result"}
        names = {line.partition("==")[0] for line in (folder / "requirements.lock").read_text().splitlines()}
        for wanted in (folder / "requirements.in").read_text().split():
            assert wanted.partition("[")[0] in names
    assert {jar.service for jar in locked((PEERS / "flink_sql" / "jars.lock").read_text())} == {"flink"}
