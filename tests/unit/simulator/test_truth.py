"""The simulator's truth: against cases worked out by hand, and against the independent recount of its messages."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.simulator import ALL, CLEAN, Mix, Truth, simulate, write_jsonl
from pipeline.simulator.counted_queues import QueueKey, QueueWindow, SampleKey
from pipeline.simulator.failures import CANCELED
from pipeline.simulator.faults import Kind, Sending
from pipeline.simulator.script import ABORTED, NEVER, OK, Attempt, Era, File
from pipeline.simulator.truth import ErrorKey, StateKey, find_truth
from pipeline.simulator.windows import ActivityKey, EndpointKey, Measure, Window, WindowKey
from pipeline.simulator.world import Host, Link
from tests.support.oracle import Expected, expect
from tests.support.oracle_queues import queue_windows
from tests.support.oracle_windows import COUNTS, MEASURES

T = 1_795_312_800_000  # the start of an hour
MINUTE = 60_000
WINDOW = 10 * MINUTE
FACTS = ("count", "sum", "min", "max")

LINK = Link("atlas", Host("a.x.org", "X"), Host("b.y.org", "Y"), ("fts3.cern.ch",))
FILE = File(
    era=Era.FTS3,
    link=LINK,
    fts="fts3.cern.ch",
    channel="a.x.org__b.y.org",
    src_name="a.x.org",
    dst_name="b.y.org",
    src_host="a.x.org",
    dst_host="b.y.org",
    activity="T0 Export",
    job_id="j",
    file_id=7,
    size=100,
    noise=0,
)


def attempt(begin: int, end: int, streaming: tuple[int, int] = NEVER, **changes: Any) -> Attempt:
    return Attempt(
        file=FILE,
        number=0,
        state=OK,
        failure=None,
        start_id="s",
        complete_id="c",
        agent="",
        reported_ms=begin,
        begin_ms=begin,
        end_ms=end,
        event_ms=end,
        streaming=streaming,
        srm_prep=NEVER,
        srm_fin=NEVER,
        checksum_src=NEVER,
        checksum_dst=NEVER,
        bytes=100,
    )._replace(**changes)


def told(*sendings: tuple[Kind, Attempt]) -> Truth:
    return find_truth(Sending(kind, each, each.event_ms, each.event_ms) for kind, each in sendings)


def key(window: int) -> WindowKey:
    return WindowKey(window, "fts", "fts3.cern.ch", "atlas", "a.x.org__b.y.org", "a.x.org", "b.y.org")


def test_a_start_and_its_complete_are_a_pair_and_a_start_alone_is_in_flight() -> None:
    first, second = attempt(T, T + 1000), attempt(T + MINUTE, T + 2 * MINUTE, start_id="s2")
    truth = told((Kind.START, first), (Kind.COMPLETE, first), (Kind.START, second))
    assert truth.pairs == {("fts3.cern.ch", "c", T + 1000): ("s", T)}
    assert truth.in_flight == {("fts3.cern.ch", "s2", T + MINUTE)}
    assert (truth.messages, truth.stored, truth.finished, truth.total.started) == (3, 3, 1, 2)


def test_a_complete_without_its_start_counts_and_pairs_with_no_other_attempts_start() -> None:
    first, second = attempt(T, T + 1000), attempt(T + 5 * MINUTE, T + 6 * MINUTE)
    truth = told((Kind.START, first), (Kind.COMPLETE, second))
    assert truth.pairs == {}
    assert (truth.finished, len(truth.in_flight)) == (1, 1)


def test_repetitions_and_poison_count_apart() -> None:
    one = attempt(T, T + 1000)
    truth = find_truth(
        [
            Sending(Kind.COMPLETE, one, T, T),
            Sending(Kind.COMPLETE, one, T, T, again=True),
            Sending(Kind.START, one, T, T, poison="no_id"),
        ]
    )
    assert (truth.messages, truth.stored, truth.duplicates, truth.dead) == (3, 1, 1, {"no_id": 1})
    assert truth.windows["10m"][key(T)].ok == 1


def test_bytes_are_moved_in_the_windows_in_which_they_streamed() -> None:
    # 2 of 7 minutes lie before the edge: floor(100 * 2 / 7) = 28.
    truth = told((Kind.COMPLETE, attempt(T, T + 16 * MINUTE, (T + 8 * MINUTE, T + 15 * MINUTE))))
    first, second = truth.windows["10m"][key(T)], truth.windows["10m"][key(T + WINDOW)]
    assert (first.bytes_moved, first.bytes, first.ok) == (28, 0, 0)
    assert (second.bytes_moved, second.bytes, second.ok) == (72, 100, 1)
    assert truth.windows["1h"] == {key(T): truth.total}
    assert truth.total.bytes_moved == 100


@pytest.mark.parametrize(
    "streaming",
    [NEVER, (T - 20 * MINUTE, 0), (T, T), (500_000, T + 1), (T - 20 * MINUTE, T + 61_001), (T + 2, T + 1)],
)
def test_bytes_without_a_believable_streaming_time_are_moved_when_the_transfer_ended(
    streaming: tuple[int, int],
) -> None:
    truth = told((Kind.COMPLETE, attempt(T, T, streaming)))
    assert {each: window.bytes_moved for each, window in truth.windows["10m"].items()} == {key(T): 100}


def test_only_ok_transfers_are_measured() -> None:
    ok = attempt(T, T + 900, (T + 100, T + 500), srm_prep=(T, T + 100), srm_fin=(T + 500, 0))
    aborted = attempt(T, T + 300, (T, T + 300), state=ABORTED, failure=CANCELED)
    truth = told((Kind.COMPLETE, ok), (Kind.COMPLETE, aborted))
    window = truth.windows["1d"][key(T - T % 86_400_000)]
    assert {name: (m.count, m.sum, m.min, m.max) for name, m in window.measures.items()} == {
        "streaming": (1, 400, 400, 400),
        "total": (1, 900, 900, 900),
        "srm_prep": (1, 100, 100, 100),
        "throughput": (1, 250, 250, 250),  # 100 bytes in 0.4 s
    }
    assert (window.ok, window.aborted, window.bytes, window.bytes_ok) == (1, 1, 200, 100)


ROUGH = Mix(
    fts2=0.1,
    monit=0.05,
    duplicate=0.05,
    late=0.05,
    displaced=0.3,
    missing_start=0.15,
    missing_complete=0.15,
    poison=0.05,
)


EVERYTHING = replace(ROUGH, states=0.3, queues=0.15, records=0.2)


@pytest.mark.parametrize(
    ("seed", "mix"), [(1, CLEAN), (2, ALL), (3, ROUGH), (4, EVERYTHING), (5, EVERYTHING), (6, EVERYTHING)]
)
def test_the_truth_equals_the_independent_recount_of_the_messages(seed: int, mix: Mix, tmp_path: Path) -> None:
    simulation = simulate(4000, seed=seed, begin_ms=T + seed * 123_457, mix=mix)
    path = tmp_path / "simulated.jsonl"
    assert write_jsonl(simulation, path) == 4000
    truth, recount = simulation.truth(), expect(path, lambda host, at_ms: ("site", "country"))
    assert (truth.messages, truth.stored, truth.duplicates) == (recount.received, recount.stored, recount.duplicate)
    assert truth.dead == recount.dead_by_reason
    assert truth.pairs == {
        (row["fts"], row["transfer_id"], row["ended_at"]): (row["start_transfer_id"], row["start_message_at"])
        for row in recount.transfers.values()
        if row["start_message_at"] is not None
    }
    assert sum(total.ok + total.failed + total.aborted for total in truth.totals.values()) == len(recount.transfers)
    in_flight = {
        (row["fts"], row["transfer_id"], row["started_at"]): row["closed_by_state"]
        for row in recount.in_flight.values()
    }
    assert truth.in_flight == set(in_flight)
    assert truth.closed == {start for start, closed in in_flight.items() if closed}
    for width in ("10m", "1h", "1d"):
        assert {each: cells(window) for each, window in truth.windows[width].items()} == recounted(recount, width)
        assert {each: counts(window) for each, window in truth.endpoints[width].items()} == {
            EndpointKey(*key): cell for key, cell in recount.endpoints[width].items()
        }
        assert {each: counts(window) for each, window in truth.activities[width].items()} == {
            ActivityKey(*key[:5]): cell for key, cell in recount.activities[width].items()
        }


@pytest.mark.parametrize("seed", [1, 2])
def test_failures_states_and_queues_equal_the_recount_too(seed: int, tmp_path: Path) -> None:
    simulation = simulate(4000, seed=seed, begin_ms=T, mix=EVERYTHING)
    path = tmp_path / "simulated.jsonl"
    write_jsonl(simulation, path)
    truth, recount = simulation.truth(), expect(path, lambda host, at_ms: ("site", "country"))
    failures: Counter[ErrorKey] = Counter()
    for key, cell in recount.errors.items():
        where = (key.window_start_ms, key.fts, key.vo, key.channel, key.src_host, key.dst_host)
        failures[ErrorKey(*where, key.scope, key.phase, key.category, key.code)] += cell["count"]
    assert truth.errors == failures
    assert truth.errors.total() == truth.total.failed > 100
    measured = {
        StateKey(*key): (row["count"], *(row[f"{name}_{what}"] for name in ("wait", "staging") for what in FACTS))
        for key, row in recount.state_windows.items()
    }
    assert measured == {
        key: (
            window.count,
            *(getattr(measure, what) for measure in (window.wait, window.staging) for what in FACTS),
        )
        for key, window in truth.states.items()
    }
    assert sum(window.staging.count for window in truth.states.values()) > 10
    assert truth.samples == {
        SampleKey(*key): (row["active"], row["ready"], row["ratio"]) for key, row in recount.queues.items()
    }
    assert {key: queue_cells(window) for key, window in truth.queues.items()} == {
        QueueKey(*key): {name: value for name, value in row.items() if name != "channel_type"}
        for key, row in queue_windows(recount.queues).items()
    }


def queue_cells(window: QueueWindow) -> dict[str, float | None]:
    row: dict[str, float | None] = {"samples": window.samples}
    for name in ("active", "ready", "ratio"):
        last, mean, most = getattr(window, name)
        row |= {f"{name}_last": last, f"{name}_avg": None if mean is None else round(mean, 6), f"{name}_max": most}
    return row


def counts(window: Window) -> dict[str, int]:
    return {name: getattr(window, name) for name in COUNTS}


def cells(window: Window) -> dict[str, int | None]:
    row: dict[str, int | None] = {**counts(window)}
    for name in MEASURES:
        measure = window.measures.get(name)
        row |= {f"{name}_{what}": getattr(measure or Measure(), what) for what in FACTS}
    return row


def recounted(recount: Expected, width: str) -> dict[WindowKey, dict[str, int | None]]:
    return {
        WindowKey(*link[:7]): {name: value for name, value in cell.items() if not name.endswith("_hist")}
        for link, cell in recount.links[width].items()
    }


def test_the_rough_mix_holds_something_of_everything(tmp_path: Path) -> None:
    truth = simulate(20_000, seed=6, begin_ms=T, mix=ROUGH).truth()
    assert set(truth.dead) == set(ROUGH.poisons)
    assert min(truth.total.ok, truth.total.failed, truth.total.aborted, truth.duplicates, len(truth.in_flight)) > 50
    ends_without_start = truth.finished - len(truth.pairs)
    assert ends_without_start > 50
    crossing = [w for w in truth.windows["10m"].values() if w.bytes_moved and not w.bytes]
    assert crossing


def test_the_document_holds_every_row_and_the_same_totals() -> None:
    truth = simulate(2000, seed=7, begin_ms=T).truth()
    document = truth.document()
    assert document["messages"] == 2000
    assert document["stored"] + document["duplicates"] + sum(document["dead"].values()) == 2000
    assert len(document["pairs"]) == document["paired"] == len(truth.pairs)
    assert len(document["in_flight_starts"]) == document["in_flight"]
    for rows in document["windows"].values():
        assert sum(row["ok"] for row in rows) == document["ok"]
        assert sum(row["bytes_moved"] for row in rows) == document["bytes"]
