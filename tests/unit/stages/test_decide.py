"""What a batch changes: the tables end the same whatever the order, the batches and the copies of messages."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.sources import DEAD, DUPLICATE, RECEIVED, STORED
from schemas.envelope import RawMessage
from schemas.topics import FTS_COMPLETE, FTS_START, FTS_STATE
from tests.support.fts_messages import (
    ABSENT,
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    T,
    complete_fields,
    raw,
    start_fields,
    state_fields,
)
from tests.support.literal_pairing import pairs_by_the_rule
from tests.support.memory_store import MemoryStore

INSTANTS = st.one_of(
    st.integers(min_value=0, max_value=10).map(lambda n: T + n * 30 * SECOND),
    st.integers(min_value=0, max_value=4).map(lambda n: T + n * DAY),
)
COMMON: dict[str, st.SearchStrategy[Any]] = {
    "file_id": st.integers(min_value=1, max_value=3),
    "endpnt": st.sampled_from(["fts.example.org", "fts.example.org", "other.example.org", ""]),
    "src_hostname": st.sampled_from(["a.x.org", "b.x.org"]),
}
STARTS = st.fixed_dictionaries(COMMON | {"timestamp": INSTANTS, "agent_fqdn": st.sampled_from([ABSENT, "g1", "g2"])})
COMPLETES = st.fixed_dictionaries(
    COMMON
    | {
        "tr_timestamp_start": st.one_of(INSTANTS, st.sampled_from([0, ""])),
        "tr_timestamp_complete": INSTANTS,
        "timestamp_tr_st": st.one_of(INSTANTS, st.just(0)),
        "timestamp_tr_comp": INSTANTS,
        "t_final_transfer_state": st.sampled_from(["Ok", "Error"]),
    }
)

STATES = st.fixed_dictionaries(
    {
        "file_id": COMMON["file_id"],
        "endpnt": COMMON["endpnt"],
        "timestamp": INSTANTS,
        "file_state": st.sampled_from(["SUBMITTED", "ACTIVE", "FINISHED", "resting"]),
    }
)


def different(number: int, kind: str, fields: dict[str, Any]) -> RawMessage:
    """Completes of which no two are taken for copies of one."""
    return message(kind, fields | {"tr_bt_transfered": number} if kind == FTS_COMPLETE else fields, number)


def id_of(fields: dict[str, Any]) -> str:
    """Messages with one id agree on what else they say, as those of FTS do."""
    return f"2026-11-22-0200__{fields['src_hostname']}__b.y.org__{fields['file_id']}__job-1"


def message(kind: str, fields: dict[str, Any], number: int, received_ms: int = T + 5 * DAY) -> RawMessage:
    return raw(kind, fields, received_ms, ref=f"test:{number}", identity=f"id:{number}")


MESSAGES = st.lists(
    st.one_of(
        STARTS.map(lambda changes: (FTS_START, start_fields(**changes, transfer_id=id_of(changes)))),
        COMPLETES.map(lambda changes: (FTS_COMPLETE, complete_fields(**changes, tr_id=id_of(changes)))),
        STATES.map(lambda changes: (FTS_STATE, state_fields(**changes))),
        st.just((FTS_START, {"transfer_id": "no time"})),
    ),
    max_size=10,
).map(lambda drawn: [different(number, *said) for number, said in enumerate(drawn)])


def at_once(messages: list[RawMessage]) -> MemoryStore:
    store = MemoryStore()
    store.commit(messages)
    return store


def in_batches(messages: list[RawMessage], rng: Random, copies: int = 0) -> MemoryStore:
    shuffled = messages + [rng.choice(messages) for _ in range(copies if messages else 0)]
    rng.shuffle(shuffled)
    store = MemoryStore()
    while shuffled:
        cut = rng.randint(1, len(shuffled))
        batch, shuffled = shuffled[:cut], shuffled[cut:]
        store.commit(batch)
    return store


@given(MESSAGES, st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_the_tables_end_the_same_in_any_order_and_any_batches(messages: list[RawMessage], rng: Random) -> None:
    assert in_batches(messages, rng).contents() == at_once(messages).contents()


@given(MESSAGES, st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_messages_that_come_again_change_nothing(messages: list[RawMessage], rng: Random) -> None:
    assert in_batches(messages, rng, copies=6).contents() == at_once(messages).contents()


@given(MESSAGES, st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_the_pairs_are_those_of_the_rule(messages: list[RawMessage], rng: Random) -> None:
    store = in_batches(messages, rng)
    pairs, in_flight = pairs_by_the_rule(messages)
    assert store.pairs() == pairs
    assert store.in_flight() == in_flight


@given(MESSAGES, st.randoms(use_true_random=False), st.data())
@settings(max_examples=200)
def test_of_several_copies_the_one_received_first_is_told_of(
    messages: list[RawMessage], rng: Random, data: st.DataObject
) -> None:
    # Redelivery keeps the broker's timestamp, so that copies may well have the same; then the first reference wins.
    delays = st.sampled_from([0, 0, 1, HOUR])
    copies = [
        each._replace(received_ms=T + 5 * DAY + data.draw(delays), ref=f"test:{number}")
        for number, each in enumerate(messages + messages + messages, start=9)
    ]
    assert in_batches(copies, rng).contents() == at_once(copies).contents()
    told = {row[-1] for rows in ("starts", "completes") for row in at_once(copies).contents()[rows].values()}
    first: dict[tuple[str, bytes], str] = {}
    for copy in sorted(copies, key=lambda copy: (copy.received_ms or 0, int(copy.ref.removeprefix("test:")))):
        first.setdefault((copy.kind, copy.body), copy.ref)
    assert told <= set(first.values())


def test_each_message_is_stored_a_duplicate_or_dead() -> None:
    store = MemoryStore()
    started = message(FTS_START, start_fields(), 1)
    effects = store.commit([started, started, message(FTS_START, {"timestamp": T}, 2)])
    assert sum_of(effects.sources.deltas) == {RECEIVED: 3, STORED: 1, DUPLICATE: 1, DEAD: 1}
    effects = store.commit([started, message(FTS_COMPLETE, complete_fields(), 3)])
    assert sum_of(effects.sources.deltas) == {RECEIVED: 2, STORED: 1, DUPLICATE: 1, DEAD: 0}


def sum_of(deltas: dict[tuple[str, int], Any]) -> dict[int, int]:
    counts: Counter[int] = Counter({RECEIVED: 0, STORED: 0, DUPLICATE: 0, DEAD: 0})
    for delta in deltas.values():
        counts.update(dict(enumerate(delta.counts)))
    return dict(counts)


@pytest.mark.parametrize("endpoint", ["", ABSENT, "invalid hostname"])
def test_who_names_no_instance_is_heard_under_its_topic(endpoint: Any) -> None:
    effects = MemoryStore().commit(
        [
            message(FTS_START, start_fields(endpnt=endpoint), 1),
            message(FTS_COMPLETE, complete_fields(endpnt=endpoint), 2),
            message(FTS_COMPLETE, complete_fields(), 3),
        ]
    )
    assert {source for source, _ in effects.sources.deltas} == {
        "transfer.fts_monitoring_start",
        "transfer.fts_monitoring_complete",
        "fts3.example.org",
    }


def test_a_dead_message_that_does_not_say_when_it_came_is_stored_and_not_counted() -> None:
    effects = MemoryStore().commit([raw(FTS_START, b"{", received_ms=None)])
    assert [dead.reason for dead in effects.dead] == ["not_json"]
    assert effects.sources.deltas == {}


def test_rows_that_stay_as_they_are_are_not_written_again() -> None:
    store = MemoryStore()
    store.commit([message(FTS_START, start_fields(), 1), message(FTS_COMPLETE, complete_fields(), 2)])
    effects = store.commit([message(FTS_START, start_fields(timestamp=T + 20 * MINUTE), 3)])
    assert (effects.start_paired, effects.complete_start) == ([], [])
    assert [new.paired for new in effects.starts] == [False]


def test_a_late_start_that_fits_better_takes_the_complete_over() -> None:
    store = MemoryStore()
    store.commit([message(FTS_START, start_fields(timestamp=T + 30 * SECOND), 1)])
    store.commit([message(FTS_COMPLETE, complete_fields(), 2)])
    effects = store.commit([message(FTS_START, start_fields(timestamp=T + SECOND), 3)])
    assert [(start.event_ms, paired) for start, paired in effects.start_paired] == [(T + 30 * SECOND, False)]
    assert [now.event_ms for _, now in effects.complete_start if now] == [T + SECOND]
    assert {start[0] for start, _ in store.pairs()} == {T + SECOND}
    assert {row[0] for row in store.in_flight()} == {T + 30 * SECOND}
