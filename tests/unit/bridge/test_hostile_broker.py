"""Whatever a broker sends, the link gives that connection up with a reason, holds no more than a frame may have, and
works with the next connection as if nothing had been."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable
from itertools import repeat

import pytest

from consumers.stomp import frames, session
from tests.support.hostile_broker import CONNECTED, Act, HostileBroker, Visitor
from tests.support.waiting import eventually
from tests.unit.bridge.test_link import MemoryKafka, Running

MB = 1 << 20
GOOD = b"MESSAGE\nsubscription:0\nmessage-id:1\nack:a1\ncontent-length:4\n\ngood\0\n"


def good(visitor: Visitor) -> None:
    """What a broker does."""
    visitor.await_word(b"accept-version")
    visitor.send(CONNECTED)
    visitor.await_word(b"SUBSCRIBE")
    visitor.send(GOOD)
    visitor.await_word(b"ACK\nid:a1")
    visitor.listen()


def after_connecting(*pieces: bytes, then_leave: bool = False) -> Act:
    def act(visitor: Visitor) -> None:
        visitor.await_word(b"accept-version")
        visitor.send(CONNECTED)
        visitor.await_word(b"SUBSCRIBE")
        visitor.send(*pieces)
        if then_leave:
            visitor.end()
        visitor.listen()

    return act


def at_once(*pieces: bytes) -> Act:
    def act(visitor: Visitor) -> None:
        visitor.send(*pieces)
        visitor.listen()

    return act


def shut_door(visitor: Visitor) -> None:
    visitor.await_word(b"accept-version")
    visitor.end()
    visitor.listen()


def without_end(head: bytes, piece: bytes) -> Act:
    def act(visitor: Visitor) -> None:
        visitor.await_word(b"accept-version")
        visitor.send(CONNECTED, head, *repeat(piece, 4096))

    return act


HOSTILE: dict[str, tuple[Act, str]] = {
    "garbage instead of STOMP": (at_once(b"\x16\x03\x01\x00\xa5" * 400_000), "without the end of a frame's headers"),
    "another protocol": (at_once(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), "no STOMP answer"),
    "nothing at all": (Visitor.listen, "no STOMP answer"),
    "an end instead of an answer": (shut_door, "before it let us in: are user and password right?"),
    "an error": (at_once(b"ERROR\nmessage:not today\n\n\0\n"), "it refuses: not today"),
    "an error that is no text": (at_once(b"ERROR\n\n\xff\xfe\0\n"), "it refuses"),
    "heart-beats that are no numbers": (at_once(b"CONNECTED\nheart-beat:x,y\n\n\0\n"), "cannot be reached"),
    "garbage between frames": (after_connecting(b"\xff" * 2 * MB), "without the end of a frame's headers"),
    "a header without end": (without_end(b"MESSAGE\nx:", b"x" * 65536), "without the end of a frame's headers"),
    "a body without end": (without_end(b"MESSAGE\nsubscription:0\n\n", b"x" * 65536), "without the end of a frame"),
    "a body of a petabyte": (after_connecting(b"MESSAGE\ncontent-length:999999999999999\n\n"), "a frame of"),
    "a length that is no number": (after_connecting(b"MESSAGE\ncontent-length:many\n\n"), "content-length"),
    "half a frame, then the end": (after_connecting(GOOD[:-6], then_leave=True), "it closed the connection"),
    "a message for somebody else": (after_connecting(GOOD.replace(b"subscription:0", b"subscription:9")), "of ours"),
    "a message for nobody": (after_connecting(GOOD.replace(b"subscription:0\n", b"")), "of ours"),
    "a message that cannot be acknowledged": (after_connecting(GOOD.replace(b"ack:a1\n", b"")), "acknowledged"),
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "CONNECT_TIMEOUT_S", 3.0)
    monkeypatch.setattr(frames, "MAX_FRAME_BYTES", 4 * MB)


@pytest.mark.parametrize("what", HOSTILE)
def test_the_connection_is_given_up_with_a_reason_and_the_next_one_works(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    act, why = HOSTILE[what]
    kafka = MemoryKafka()
    with HostileBroker(act, good) as broker:
        running = Running(broker, kafka)
        eventually(lambda: kafka.values == [b"good"])
        eventually(lambda: running.link.stats.acked == 1)
        assert broker.visits == 2
        running.end()
    (told,) = {record.getMessage() for record in caplog.records if record.levelname == "WARNING"}
    assert why in told


def test_what_comes_between_good_messages_and_means_nothing_is_passed_over() -> None:
    """Wrong receipts, unknown commands, empty frames, frames that no server sends."""
    noise = [b"RECEIPT\nreceipt-id:%d\n\n\0\n" % n for n in range(2000)]
    noise += [b"RECEIPT\n\n\0", b"SEND\ndestination:/queue/x\n\nx\0", b"NONSENSE\n\n\0", b"\n" * 5000, b"\r\n\0\n\n\0"]
    kafka = MemoryKafka()
    with HostileBroker(after_connecting(GOOD, *noise, GOOD)) as broker:
        running = Running(broker, kafka)
        eventually(lambda: kafka.values == [b"good"] * 2)
        running.end()
        assert broker.visits == 1


def test_a_broker_that_says_nothing_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "HEARTBEAT_MS", 200)
    beating = CONNECTED.replace(b"heart-beat:0,0", b"heart-beat:200,200")

    def stops(visitor: Visitor) -> None:
        visitor.await_word(b"accept-version")
        visitor.send(beating)
        visitor.listen()

    kafka = MemoryKafka()
    with HostileBroker(stops, good) as broker:
        running = Running(broker, kafka)
        eventually(lambda: kafka.values == [b"good"])
        running.end()


def feed(splitter: frames.Splitter, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        splitter.feed(bytes(bytearray(piece)))  # as from a socket: bytes of its own


def test_a_frame_of_any_size_is_held_once_and_no_more_of_it_than_a_frame_may_have() -> None:
    tracemalloc.start()
    try:
        splitter = frames.Splitter()
        splitter.feed(b"MESSAGE\nsubscription:0\n\n")
        with pytest.raises(frames.NotStomp):
            feed(splitter, repeat(b"x" * 65536, 4096))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 * MB


def test_a_body_of_50_mb_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    body = b"x" * 50 * MB
    head = b"MESSAGE\nsubscription:0\nmessage-id:1\nack:a1\ncontent-length:%d\n\n" % len(body)
    kafka = MemoryKafka()
    with HostileBroker(after_connecting(head + body + b"\0\n", GOOD)) as broker:
        running = Running(broker, kafka)
        eventually(lambda: len(kafka.values) == 2)
        running.end()
    assert len(kafka.values[0]) == MB, "its stand-in, with size and digest"
