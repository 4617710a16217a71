"""Pairs are a function of the set of a key's starts and completes: the rule word for word, in any order of arrival."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.pair import pair
from tests.support.literal_pairing import MINUTE, dedupe_of_complete, pair_indices


class S(NamedTuple):
    """A start as pairing sees it."""

    event_ms: int
    fts: str = ""
    agent: str = ""
    transfer_id: str = "id"


class C(NamedTuple):
    """A complete as pairing sees it."""

    event_ms: int
    started_ms: int | None
    fts: str = ""
    agent: str = ""
    transfer_id: str = "id"
    state: str = "ok"
    bytes: int = 0
    never_pairs: bool = False


# Instants that lie apart by less than, exactly, and more than a minute, and now and then by days.
INSTANTS = st.one_of(
    st.integers(min_value=0, max_value=6).map(lambda n: 10**12 + n * 30_000),
    st.integers(min_value=-2, max_value=2).map(lambda n: 10**12 + MINUTE + n),
    st.integers(min_value=0, max_value=4).map(lambda n: 10**12 + n * 86_400_000),
)
WHO = st.sampled_from(["", "", "x", "y"])
IDS = st.sampled_from(["id0", "id1"])
STARTS = st.lists(st.builds(S, INSTANTS, WHO, WHO, IDS), max_size=6, unique=True)
COMPLETES = st.lists(
    st.builds(
        C,
        INSTANTS,
        st.one_of(st.none(), st.none(), INSTANTS),
        WHO,
        WHO,
        IDS,
        st.sampled_from(["ok", "failed"]),
        st.just(0),
    ).flatmap(lambda c: st.sampled_from([c, c, c, c._replace(started_ms=None, never_pairs=True)])),
    max_size=6,
    unique_by=dedupe_of_complete,
)


@given(STARTS, COMPLETES)
@settings(max_examples=300)
def test_pairs_are_those_of_the_rule(starts: list[S], completes: list[C]) -> None:
    expected = {(starts[s], completes[c]) for s, c in pair_indices(starts, completes)}
    assert set(pair(starts, completes)) == expected


@given(STARTS, COMPLETES, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(starts: list[S], completes: list[C], rng: Random) -> None:
    pairs = set(pair(starts, completes))
    rng.shuffle(starts)
    rng.shuffle(completes)
    assert set(pair(starts, completes)) == pairs


@given(STARTS, COMPLETES)
def test_each_message_is_in_one_pair_at_most(starts: list[S], completes: list[C]) -> None:
    pairs = pair(starts, completes)
    assert len({s for s, _ in pairs}) == len({c for _, c in pairs}) == len(pairs)


T = 10**12


def test_a_minute_apart_is_near_and_a_ms_more_is_not() -> None:
    begun = C(T + 10 * MINUTE, T)
    assert pair([S(T - MINUTE)], [begun]) == [(S(T - MINUTE), begun)]
    assert pair([S(T - MINUTE - 1)], [begun]) == []
    # A start too far after the start of the process is still the latest one before its end.
    assert pair([S(T + MINUTE + 1)], [begun]) == [(S(T + MINUTE + 1), begun)]


def test_a_start_may_lie_after_the_end_when_it_lies_near_the_start_of_the_process() -> None:
    short = C(T, T)
    assert pair([S(T + MINUTE)], [short]) == [(S(T + MINUTE), short)]
    assert pair([S(T + MINUTE + 1)], [short]) == []


def test_retries_pair_each_with_its_own_start() -> None:
    attempts = [
        (S(T + n * 10 * MINUTE), C(T + n * 10 * MINUTE + 5 * MINUTE, T + n * 10 * MINUTE + 7)) for n in range(5)
    ]
    starts, completes = zip(*attempts, strict=True)
    assert set(pair(starts, completes)) == set(attempts)
    # One start was lost: its complete does not take another's.
    assert set(pair(starts[:2] + starts[3:], completes)) == set(attempts) - {attempts[2]}
    # One complete was lost: its start stays in flight.
    assert set(pair(starts, completes[:2] + completes[3:])) == set(attempts) - {attempts[2]}


def test_without_a_process_start_each_complete_takes_the_latest_start_before_it() -> None:
    first, second = C(T + 1000, None), C(T + 3000, None)
    starts = [S(T), S(T + 500), S(T + 2000)]
    assert set(pair(starts, [second, first])) == {(S(T + 500), first), (S(T + 2000), second)}


def test_of_completes_without_a_process_start_the_one_that_ended_first_chooses_first_whatever_its_id() -> None:
    first, second = C(T + 1000, None, transfer_id="z"), C(T + 2000, None, transfer_id="a")
    assert pair([S(T)], [second, first]) == [(S(T), first)]


def test_the_nearest_pair_is_taken_first_though_another_complete_ends_earlier() -> None:
    early, late = C(T + 1000, T + 20_000), C(T + 90_000, T + 1)
    assert set(pair([S(T)], [early, late])) == {(S(T), late)}


def test_another_instance_or_agent_is_another_transfer() -> None:
    ended = C(T + 1000, T, fts="a", agent="x")
    assert pair([S(T, fts="b")], [ended]) == []
    assert pair([S(T, agent="y")], [ended]) == []
    assert pair([S(T)], [ended]) == [(S(T), ended)]
    assert pair([S(T, fts="a")], [ended._replace(fts="", agent="")]) == [
        (S(T, fts="a"), ended._replace(fts="", agent=""))
    ]


def test_a_complete_that_was_cancelled_before_its_start_never_pairs() -> None:
    cancelled = C(T + 1000, None, never_pairs=True)
    assert pair([S(T)], [cancelled]) == []
    assert pair([S(T), S(T + 1)], [cancelled, C(T + 2000, None)]) == [(S(T + 1), C(T + 2000, None))]
