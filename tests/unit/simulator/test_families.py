"""States, queues and records: what their messages say is what happened, and the broken ones are broken as asked."""

from __future__ import annotations

from collections import Counter
from itertools import islice, pairwise
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.simulator import ALL, Mix, simulate
from pipeline.simulator.accesses import Access, Accesses, Form
from pipeline.simulator.bodies import published
from pipeline.simulator.families import AnySending, sendings
from pipeline.simulator.faults import Kind, Sending
from pipeline.simulator.places import UNKNOWN, endpoint_of, topology
from pipeline.simulator.queues import QueueReport, Queues, Shape
from pipeline.simulator.script import Attempt, Era, Script
from pipeline.simulator.spoiling import BODIES
from pipeline.simulator.states import ACTIVE, FINAL, SUBMITTED, FileState, FileStates
from pipeline.simulator.wire_accesses import NEEDS_COLLECTOR, reasons
from pipeline.simulator.wire_queues import OPTIMIZER_SPOILS
from pipeline.simulator.wire_queues import SPOILS as STATUS_SPOILS
from pipeline.simulator.wire_states import SPOILS as STATE_SPOILS
from pipeline.simulator.world import hosts, make_world
from pipeline.topology.document import Document
from schemas.topics import KNOWN_TOPICS
from tests.support.oracle_messages import State, Unusable, read_message
from tests.support.oracle_queues import read_report
from tests.support.oracle_xrootd import read_records

T = 1_795_312_800_000
HOUR = 3_600_000
seeds = st.integers(0, 10_000)


def states_of_a_file(seed: int) -> tuple[list[Attempt], list[FileState]]:
    rng = Random(seed)
    script, told = Script(rng, make_world(rng)), FileStates(Random(seed))
    attempts = list(script.next_file(T, Era.FTS3))
    states = [state for attempt in attempts for state in told.attempt(attempt)]
    return attempts, [*states, *told.end()]


def report_of(seed: int) -> QueueReport:
    rng = Random(seed)
    return Queues(rng, make_world(rng)).look(T + seed)[-1]


def access_of(seed: int) -> Access:
    rng = Random(seed)
    return Accesses(rng, make_world(rng)).next_access(T + seed)


@given(seeds)
def test_states_follow_the_life_of_a_file(seed: int) -> None:
    attempts, states = states_of_a_file(seed)
    assert [state.state in FINAL for state in states] == [False] * (len(states) - 1) + [True]
    assert all(one.at_ms <= other.at_ms for one, other in pairwise(states))
    assert sum(state.state == SUBMITTED for state in states) == len(attempts)
    active = [state for state in states if state.state == ACTIVE]
    assert len(active) == sum(attempt.begin_ms > 0 for attempt in attempts)
    assert all(state.wait_ms is not None and state.wait_ms >= 0 for state in active)
    assert states[-1].at_ms >= attempts[-1].event_ms


@given(seeds)
def test_a_state_message_says_what_happened(seed: int) -> None:
    for state in states_of_a_file(seed)[1]:
        topic, body = published(Sending(Kind.STATE, state, state.at_ms, state.at_ms))
        read = read_message(topic, body, state.at_ms, "f:1")
        assert isinstance(read, State)
        link = state.file.link
        assert (read.job_id, read.file_id) == (state.file.job_id, str(state.file.file_id))
        assert (read.fts, read.vo, read.src_host, read.dst_host) == (
            state.file.fts,
            link.vo,
            link.src.name,
            link.dst.name,
        )
        assert (read.state, read.event_ms, read.wait_ms, read.staging_ms) == (
            state.state,
            state.at_ms,
            state.wait_ms,
            state.staging_ms,
        )


@given(seeds, st.sampled_from(Shape))
def test_a_report_on_queues_says_every_line_in_every_shape(seed: int, shape: Shape) -> None:
    report = report_of(seed)
    if (report.shape is Shape.OPTIMIZER) != (shape is Shape.OPTIMIZER):
        return
    at_ms = report.at_ms // 10 * 10
    report = report._replace(shape=shape, at_ms=at_ms)
    topic, body = published(Sending(Kind.QUEUE, report, at_ms, at_ms))
    read = read_report(topic, body, at_ms + 8 * HOUR)
    assert (read.fts, read.event_ms) == (report.fts, at_ms)
    vo = UNKNOWN if shape is Shape.DRAFT else None
    assert [(*key, row["active"], row["ready"], row["ratio"]) for key, row in read.samples] == [
        tuple(sample._replace(vo=vo or sample.vo)) for sample in report.samples
    ]


@given(seeds)
def test_a_record_says_what_was_moved_in_every_form(seed: int) -> None:
    access = access_of(seed)
    topic, body = published(Sending(Kind.ACCESS, access, access.open_ms[1], access.open_ms[1]))
    assert topic in KNOWN_TOPICS
    (read,) = read_records(topic, body, access.open_ms[1], "f:1")
    assert (read.src_host, read.dst_host, read.vo) == (access.src_host, access.dst_host, access.vo)
    assert (read.bytes, read.event_ms, read.state) == (access.bytes, access.open_ms[1], "ok")
    assert read.times.get("timestamp_tr_st", 0) == access.open_ms[0]
    assert read.technology == ("xrootd-tpc" if access.form is Form.TPC else "xrootd")


def test_all_forms_and_shapes_come_up() -> None:
    assert {access_of(seed).form for seed in range(200)} == set(Form)
    assert {report_of(seed).shape for seed in range(200)} == set(Shape)
    rng = Random(1)
    queues = Queues(rng, make_world(rng))
    assert any(len(queues.look(T)) > 1 for _ in range(200)), "the same link twice at one instant"
    lines = [report_of(seed).samples for seed in range(500)]
    assert any(sample.src_host == sample.dst_host == "" for samples in lines for sample in samples)
    assert any(len({sample[:4] for sample in samples}) < len(samples) for samples in lines)


def refused(sending: AnySending) -> str:
    """For what the recount refuses a message."""
    topic, body = published(sending)
    read = {Kind.STATE: _state, Kind.QUEUE: read_report}.get(sending.kind, _records)
    with pytest.raises(Unusable) as caught:
        read(topic, body, sending.received_ms)
    return str(caught.value.args[0])


def _state(topic: str, body: bytes, received_ms: int) -> object:
    return read_message(topic, body, received_ms, "f:1")


def _records(topic: str, body: bytes, received_ms: int) -> object:
    return read_records(topic, body, received_ms, "f:1")


@given(seeds, st.integers(0, 2**64 - 1))
def test_a_broken_state_message_is_refused_for_its_reason(seed: int, noise: int) -> None:
    state = states_of_a_file(seed)[1][0]
    state = state._replace(file=state.file._replace(noise=noise))
    for reason in (*BODIES, *STATE_SPOILS):
        assert refused(Sending(Kind.STATE, state, state.at_ms, state.at_ms, poison=reason)) == reason


@given(seeds, st.integers(0, 2**64 - 1))
def test_a_broken_report_on_queues_is_refused_for_its_reason(seed: int, noise: int) -> None:
    report = report_of(seed)._replace(noise=noise)
    optimizer = report.shape is Shape.OPTIMIZER
    report = report if optimizer else report._replace(shape=Shape.PROPOSED)
    for reason in (*BODIES, *(OPTIMIZER_SPOILS if optimizer else STATUS_SPOILS)):
        assert refused(Sending(Kind.QUEUE, report, report.at_ms, report.at_ms, poison=reason)) == reason


@given(seeds, st.integers(0, 2**64 - 1))
def test_a_broken_record_is_refused_for_its_reason(seed: int, noise: int) -> None:
    access = access_of(seed)._replace(noise=noise)
    end_ms = access.open_ms[1]
    for reason in (*reasons(access), NEEDS_COLLECTOR):
        assert refused(Sending(Kind.ACCESS, access, end_ms, end_ms, poison=reason)) == reason


def test_families_come_in_the_shares_asked_for_and_make_poison_of_their_own() -> None:
    mix = Mix(states=0.2, queues=0.1, records=0.3, poison=0.1)
    made = list(islice(sendings(1, mix, 10**9, T, HOUR), 20_000))
    kinds = Counter(sending.kind for sending in made)
    assert set(kinds) == set(Kind)
    poisons = {kind: {each.poison for each in made if each.kind is kind and each.poison} for kind in Kind}
    assert "bad_shape" in poisons[Kind.QUEUE]
    assert NEEDS_COLLECTOR in poisons[Kind.ACCESS]
    assert set(STATE_SPOILS) <= poisons[Kind.STATE]
    stories = Counter(sending.kind for sending in made if not sending.again and not sending.poison)
    files = len({each.facts.file for each in made if isinstance(each.facts, Attempt) and not each.poison})
    all_stories = stories[Kind.ACCESS] + stories[Kind.QUEUE] + files
    assert stories[Kind.ACCESS] / all_stories == pytest.approx(0.3, abs=0.03)


def test_without_families_the_traffic_is_that_of_transfers_alone() -> None:
    assert {message.topic.rpartition("_")[2] for message in simulate(2000, 1, T)} == {"start", "complete"}


def test_every_topic_of_the_simulation_is_known_to_replay() -> None:
    assert {message.topic for message in simulate(5000, 1, T, mix=ALL)} < set(KNOWN_TOPICS)


def test_the_topology_of_the_simulated_world_is_a_valid_one_and_leaves_some_hosts_out() -> None:
    document = topology()
    msgspec.convert(document, Document)
    sites = {entry["name"] for entry in document["sites"]}
    assert {entry["site"] for entry in document["hosts"]} < sites
    known = [endpoint_of(vo, host.name) != UNKNOWN for vo, its_hosts in hosts().items() for host in its_hosts]
    assert 0.3 < sum(known) / len(known) < 0.8
