"""Simulations: repeatable, lazy, of exactly the asked size, with the faults that were asked for."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from itertools import islice, pairwise

import pytest

from pipeline.simulator import CLEAN, Mix, SimMessage, simulate
from schemas.topics import BROKER_TOPICS, FTS_COMPLETE, FTS_START

T = 1_795_312_800_000
HOUR = 3_600_000


def test_the_same_numbers_give_the_same_bytes_and_another_seed_gives_others() -> None:
    first = list(simulate(1000, seed=1, begin_ms=T))
    assert first == list(simulate(1000, seed=1, begin_ms=T))
    assert first != list(simulate(1000, seed=2, begin_ms=T))


def test_traffic_of_transfers_alone_is_byte_for_byte_that_of_the_figures_in_the_readmes() -> None:
    digest = sha256()
    for message in simulate(5000, seed=1, begin_ms=T):
        digest.update(message.topic.encode() + message.body + str(message.received_ms).encode())
    # Another digest means other traffic: then benchmarks have to be measured again, and their figures replaced.
    assert digest.hexdigest()[:16] == "c4eaac4e4ec27af0"


def test_a_simulation_can_be_iterated_again_and_asked_for_its_truth_in_between() -> None:
    simulation = simulate(500, seed=1, begin_ms=T)
    first = list(simulation)
    assert simulation.truth() == simulation.truth()
    assert list(simulation) == first


@pytest.mark.parametrize("messages", [0, 1, 2, 7, 1001])
def test_there_are_exactly_as_many_messages_as_asked_for(messages: int) -> None:
    simulation = simulate(messages, seed=3, begin_ms=T)
    assert len(list(simulation)) == len(simulation) == messages == simulation.truth().messages


def test_messages_come_lazily_however_many_there_are() -> None:
    assert len(list(islice(simulate(10**12, seed=1, begin_ms=T), 100))) == 100


def test_topics_are_those_of_the_product_and_headers_tell_the_receipt_time() -> None:
    messages = list(simulate(300, seed=4, begin_ms=T))
    topics = {topic for topic, kind in BROKER_TOPICS.items() if kind in (FTS_START, FTS_COMPLETE)}
    assert {message.topic for message in messages} == topics
    assert all(message.headers["timestamp"] == str(message.received_ms) for message in messages)


def test_without_faults_messages_come_once_and_in_the_order_of_their_receipt() -> None:
    simulation = simulate(3000, seed=5, begin_ms=T, mix=CLEAN)
    bodies = [message.body for message in simulation]
    truth = simulation.truth()
    assert len(set(bodies)) == 3000
    assert (truth.duplicates, truth.dead) == (0, {})
    # Neighbours are only as exact as the place that a time gets among 3000 messages an hour: 1.2 s.
    assert all(b.received_ms - a.received_ms > -1200 for a, b in pairwise(simulation))


def test_repetitions_are_the_same_bytes_received_later() -> None:
    simulation = simulate(3000, seed=6, begin_ms=T, mix=Mix(duplicate=0.2, poison=0))
    copies = Counter(message.body for message in simulation)
    assert sum(copies.values()) - len(copies) == simulation.truth().duplicates > 300


def test_late_messages_are_received_hours_after_their_span() -> None:
    received = [message.received_ms for message in simulate(3000, seed=7, begin_ms=T, mix=Mix(late=0.1))]
    assert sum(at > T + 2 * HOUR for at in received) > 100


def test_displaced_messages_are_out_of_order_and_completes_come_before_their_starts() -> None:
    simulation = simulate(4000, seed=8, begin_ms=T, mix=Mix(displaced=0.5, poison=0, fts2=0, monit=0))
    seen: set[str] = set()
    early = 0
    for message in simulation:
        job = _job(message)
        early += message.topic.endswith("complete") and job not in seen
        seen.add(job)
    assert early > 100


def _job(message: SimMessage) -> str:
    head, _, tail = message.body.decode("utf-8", "replace").partition('"job_id" : "')
    file_id = head.partition('"file_id" : ')[2].partition(",")[0]
    return tail[:36] + file_id


def test_no_message_is_held_back_for_more_than_the_look_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.simulator.simulation.LOOK_AHEAD", 50)
    # A third is late by hours: the turn of those lies far behind the last message.
    simulation = simulate(500, seed=9, begin_ms=T, mix=Mix(late=0.3, duplicate=0))
    written, published = list(simulation._sendings()), list(simulation._in_turn())
    assert len(published) == 500
    held_back = [published.index(sending) - place for place, sending in enumerate(written)]
    assert 20 < max(held_back) <= 50


@pytest.mark.parametrize(("messages", "begin_ms", "span_ms"), [(-1, T, HOUR), (1, 0, HOUR), (1, T, 0)])
def test_numbers_that_make_no_simulation_are_refused(messages: int, begin_ms: int, span_ms: int) -> None:
    with pytest.raises(ValueError, match="a simulation needs"):
        simulate(messages, seed=1, begin_ms=begin_ms, span_ms=span_ms)


def test_shares_that_make_no_mix_are_refused() -> None:
    with pytest.raises(ValueError, match=r"the share of late is 1.5"):
        Mix(late=1.5)
    with pytest.raises(ValueError, match="fts2 and monit"):
        Mix(fts2=0.6, monit=0.6)
    with pytest.raises(ValueError, match="queues and records"):
        Mix(queues=0.6, records=0.6)
    with pytest.raises(ValueError, match="no message would be left"):
        Mix(missing_start=1, missing_complete=1)
    with pytest.raises(ValueError, match="not salt"):
        Mix(poisons=("empty", "salt"))
    with pytest.raises(ValueError, match="not none"):
        Mix(poisons=())
