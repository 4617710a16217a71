"""Laws of the ledger: whatever comes in whatever order, no ack passes what is not confirmed."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.bridge import ledger as ledger_module
from consumers.bridge.ledger import Ledger
from consumers.stomp.frames import Delivery

PUT, TAKE, CONFIRM = "put", "take", "confirm"
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just(PUT), st.lists(st.sampled_from("abc"), min_size=1, max_size=5)),
        st.tuples(st.just(TAKE), st.none()),
        st.tuples(st.just(CONFIRM), st.none()),
    ),
    max_size=40,
)


def delivery(subscription: str, number: int, body: bytes = b"") -> Delivery:
    return Delivery({"subscription": subscription.encode(), "ack": f"{subscription}-{number}".encode()}, body)


@given(STEPS, st.integers(1, 7))
def test_acks_are_the_last_confirmed_of_each_subscription_and_never_more(
    steps: list[tuple[str, list[str] | None]], batch_size: int
) -> None:
    ledger = Ledger()
    put: list[str] = []
    in_hand: list[list[Delivery]] = []
    confirmed = 0
    covered: dict[str, str] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_module, "BATCH_MESSAGES", batch_size)
        for step, subscriptions in steps:
            if step == PUT:
                deliveries = [delivery(s, len(put) + place) for place, s in enumerate(subscriptions or ())]
                put += [d.headers["ack"].decode() for d in deliveries]
                ledger.put(deliveries)
            elif step == TAKE and (batch := ledger.take(0)):
                in_hand.append(batch)
            elif step == CONFIRM and in_hand:
                confirmed += len(in_hand.pop(0))
                for ack in ledger.confirm():
                    covered[ack.partition("-")[0]] = ack
            expected = {ack.partition("-")[0]: ack for ack in put[:confirmed]}
            assert covered == expected, "each subscription is acknowledged up to its last confirmed message"
            assert ledger.backlog().messages == len(put) - confirmed


def test_batches_leave_in_the_order_of_delivery() -> None:
    ledger = Ledger()
    ledger.put([delivery("a", 1), delivery("b", 2)])
    ledger.put([delivery("a", 3)])
    assert [d.headers["ack"] for d in ledger.take(0)] == [b"a-1", b"b-2", b"a-3"]
    assert ledger.take(0) == []


def test_after_its_end_nothing_more_comes_in_or_out_but_what_is_in_hand_is_confirmed() -> None:
    ledger = Ledger()
    ledger.put([delivery("a", 1)])
    ledger.take(0)
    ledger.put([delivery("a", 2)])
    ledger.close()
    ledger.put([delivery("a", 3)])
    assert ledger.take(0) == []
    assert ledger.confirm() == ["a-1"]
    assert ledger.backlog() == (0, 0, 0.0)


def test_a_full_ledger_has_no_room_until_something_is_confirmed() -> None:
    ledger = Ledger(max_bytes=10)
    assert ledger.wait_for_room(0)
    ledger.put([delivery("a", 1, b"x" * 10)])
    assert not ledger.wait_for_room(0)
    ledger.take(0)
    assert not ledger.wait_for_room(0)
    waiting = threading.Thread(target=ledger.confirm)
    waiting.start()
    assert ledger.wait_for_room(10)
    waiting.join()


def test_a_full_ledger_that_is_closed_lets_its_reader_go_on() -> None:
    ledger = Ledger(max_bytes=10)
    ledger.put([delivery("a", 1, b"x" * 10)])
    ledger.close()
    assert ledger.wait_for_room(0)


def test_the_oldest_counts_from_its_arrival_until_it_is_confirmed() -> None:
    now = 100.0
    ledger = Ledger(clock=lambda: now)
    ledger.put([delivery("a", 1)])
    now = 103.0
    ledger.put([delivery("a", 2)])
    assert ledger.backlog().oldest_s == 3.0
    ledger.take(0)
    now = 104.0
    assert ledger.backlog().oldest_s == 4.0
    ledger.confirm()
    assert ledger.backlog().oldest_s == 0.0


def test_a_batch_ends_when_it_holds_enough_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "BATCH_BYTES", 10)
    ledger = Ledger()
    for number in range(3):
        ledger.put([delivery("a", number, b"x" * 6)])
    assert [len(ledger.take(0)), len(ledger.take(0))] == [2, 1]
