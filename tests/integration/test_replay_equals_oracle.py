"""Replayed traffic in a real store equals the independent recount, cell by cell, and the simulator's truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from psycopg2.extensions import connection as Connection

from pipeline.simulator import Mix, simulate, write_jsonl
from pipeline.simulator.check import differences as differences_from_truth
from pipeline.simulator.places import endpoint_of, topology
from pipeline.store.readback import read_back
from pipeline.store.session import connect
from tests.support.oracle import expect
from tests.support.shell import Shell
from tests.support.stored import differences

T = 1_795_312_800_000
ROUGH = Mix(
    fts2=0.1,
    monit=0.05,
    duplicate=0.05,
    late=0.05,
    displaced=0.3,
    missing_start=0.15,
    missing_complete=0.15,
    poison=0.05,
    states=0.2,
    queues=0.1,
    records=0.2,
)
SAMPLES = Path(__file__).parents[1] / "data" / "fts" / "samples.jsonl"


def nowhere(host: str, at_ms: int) -> tuple[str, str]:
    """A store without a topology knows no site."""
    return "unknown", "unknown"


@pytest.fixture
def store(database_url: str) -> Iterator[Connection]:
    with closing(connect(database_url)) as connection:
        yield connection


@pytest.mark.stack
@pytest.mark.parametrize("seed", [1, 2])
def test_rough_traffic_gives_the_recounted_tables(seed: int, shell: Shell, store: Connection, tmp_path: Path) -> None:
    simulation = simulate(6000, seed, T, mix=ROUGH)
    path = tmp_path / "rough.jsonl.gz"
    write_jsonl(simulation, path)
    expected = expect(path, nowhere)
    said = shell.json("replay", path)
    assert (said["stored"], said["duplicate"], said["dead"]) == (expected.stored, expected.duplicate, expected.dead)
    assert list(differences(expected, store)) == []
    assert list(differences_from_truth(simulation.truth(), read_back(store))) == []


@pytest.mark.stack
def test_several_processes_give_what_one_gives(shell: Shell, store: Connection, tmp_path: Path) -> None:
    path = tmp_path / "rough.jsonl"
    write_jsonl(simulate(20_000, 3, T, mix=ROUGH), path)
    expected = expect(path, nowhere)
    said = shell.json("replay", "--processes", 3, path)
    assert (said["stored"], said["duplicate"], said["dead"]) == (expected.stored, expected.duplicate, expected.dead)
    assert list(differences(expected, store)) == []


@pytest.mark.stack
def test_with_the_simulators_topology_endpoints_equal_its_truth_too(
    shell: Shell, store: Connection, tmp_path: Path
) -> None:
    simulation = simulate(6000, 3, T, mix=ROUGH)
    path, places = tmp_path / "rough.jsonl.zst", tmp_path / "places.json"
    write_jsonl(simulation, path)
    places.write_text(json.dumps(topology()))
    shell("topology", "load", places)
    shell("replay", path)
    truth, stored = simulation.truth(endpoint_of), read_back(store)
    assert list(differences_from_truth(truth, stored)) == []
    assert list(differences_from_truth(simulation.truth(), stored)), "what the topology says of endpoints is seen"
    with store, store.cursor() as cursor:
        cursor.execute("SELECT count(*) FILTER (WHERE src_site = 'unknown'), count(*) FROM report.transfer")
        unknown, transfers = cursor.fetchone() or (0, 0)
    assert 0 < unknown < transfers / 10


@pytest.mark.stack
def test_each_table_that_differs_from_the_truth_is_told(shell: Shell, store: Connection, tmp_path: Path) -> None:
    simulation = simulate(3000, 4, T, mix=ROUGH)
    path = tmp_path / "rough.jsonl"
    write_jsonl(simulation, path)
    shell("replay", path)
    truth = simulation.truth()
    next(iter(truth.windows["10m"].values())).bytes_moved += 1
    next(iter(truth.endpoints["1h"].values())).started += 1
    next(iter(truth.activities["1d"].values())).ok += 1
    truth.errors[next(iter(truth.errors))] += 1
    next(iter(truth.states.values())).wait.count += 1
    truth.samples.popitem()
    truth.queues.popitem()
    truth.pairs.popitem()
    truth.in_flight.pop()
    truth.closed.pop()
    truth.dead["empty"] += 1
    told = list(differences_from_truth(truth, read_back(store)))
    assert [sentence.partition(" (")[0].partition(" empty")[0] for sentence in told] == [
        "window 10m",
        "endpoints 1h",
        "activity 1d",
        "errors",
        "file states",
        "queue sample",
        "queue",
        "pair",
        "dead letters",
        "in flight",
        "closed by state",
    ]


@pytest.mark.stack
def test_the_real_samples_give_the_recounted_rows(shell: Shell, store: Connection) -> None:
    expected = expect(SAMPLES, nowhere)
    shell("replay", SAMPLES)
    assert list(differences(expected, store)) == []


@pytest.mark.stack
def test_each_kind_of_difference_would_be_told(shell: Shell, store: Connection) -> None:
    expected = expect(SAMPLES, nowhere)
    shell("replay", SAMPLES)
    link = next(cell for cell in expected.links["1h"].values() if cell["ok"])
    link["streaming_hist"] = {0: 1}
    next(iter(expected.endpoints["10m"].values()))["bytes_moved"] += 1
    next(iter(expected.activities["1d"].values()))["started"] += 1
    next(iter(expected.channels["1d"].values()))["links"] += 1
    next(iter(expected.transfers.values()))["checksum_src_ms"] = None
    expected.in_flight.clear()
    expected.dead_letters.popitem()
    told = list(differences(expected, store))
    assert [sentence.partition(" ")[0].rstrip(":") for sentence in told] == [
        "endpoint_10m",
        "link_1h",
        "channel_1d",
        "activity_1d",
        "transfer",
        "in_flight",
        "dead_letter",
    ]
