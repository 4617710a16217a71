"""What the bridge relies on, of ActiveMQ and of the broker that stands in for it in other tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from consumers.errors import Unreachable
from consumers.stomp.endpoint import Endpoint, Login
from consumers.stomp.frames import Delivery
from consumers.stomp.session import NoMessages, Session
from pipeline.devstack.stack import Stack
from tests.support.stomp_broker import StompBroker
from tests.support.waiting import eventually

_NAMES = itertools.count()


@dataclass
class Broker:
    """A broker to talk to, and a queue of this test's own."""

    endpoint: Endpoint
    login: Login
    queue: str

    def session(self, receiver: Inbox | None = None) -> Session:
        return Session.open(self.endpoint, self.login, receiver or NoMessages())

    def publish(self, queue: str, *bodies: bytes) -> None:
        session = self.session()
        for body in bodies:
            session.send(queue, body, {"persistent": "true"})
        assert session.close(30)


class Inbox:
    """Keeps what comes."""

    def __init__(self) -> None:
        self.messages: list[Delivery] = []

    def put(self, messages: list[Delivery]) -> None:
        self.messages += messages

    def wait_for_room(self, timeout_s: float) -> bool:
        return True

    def wait(self, count: int) -> list[Delivery]:
        eventually(lambda: len(self.messages) >= count)
        return self.messages

    def ack_id(self, place: int) -> str:
        return self.messages[place].headers["ack"].decode()

    @property
    def bodies(self) -> list[bytes]:
        return [message.body for message in self.messages]


@pytest.fixture(params=["fake", pytest.param("ActiveMQ", marks=pytest.mark.stack)])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    queue = f"/queue/contract.{next(_NAMES)}"
    if request.param == "fake":
        with StompBroker("user", "secret") as fake:
            yield Broker(Endpoint("127.0.0.1", "127.0.0.1", fake.port), Login("user", lambda: "secret"), queue)
        return
    stack: Stack = request.getfixturevalue("stack")
    settings = stack.env()
    port = int(settings["TRANSFERSCOPE_STOMP_BROKERS"].rpartition(":")[2])
    password = Path(settings["TRANSFERSCOPE_STOMP_PASSWORD_FILE"]).read_text().strip()
    login = Login(settings["TRANSFERSCOPE_STOMP_USER"], lambda: password)
    yield Broker(Endpoint("127.0.0.1", "127.0.0.1", port), login, queue)


def test_a_body_comes_as_it_was_sent(broker: Broker) -> None:
    bodies = [bytes(range(256)) * 5, b"", b"\n\n\0", b'{"a": "\xff"} \x04']
    inbox = Inbox()
    session = broker.session(inbox)
    session.subscribe("0", broker.queue, 100)
    broker.publish(broker.queue, *bodies)
    inbox.wait(4)
    assert inbox.bodies == bodies
    session.close(10)


def test_an_ack_covers_all_before_it_and_nothing_after_it(broker: Broker) -> None:
    broker.publish(broker.queue, b"1", b"2", b"3", b"4")
    first = Inbox()
    session = broker.session(first)
    session.subscribe("0", broker.queue, 100)
    first.wait(4)
    session.ack(first.ack_id(1))
    assert session.close(10), "the end confirms the ack before it"
    again = Inbox()
    session = broker.session(again)
    session.subscribe("0", broker.queue, 100)
    assert [message.body for message in again.wait(2)] == [b"3", b"4"]
    session.ack(again.ack_id(1))
    session.close(10)


def test_an_ack_does_not_cover_another_subscription(broker: Broker) -> None:
    other = f"{broker.queue}.other"
    broker.publish(other, b"other")
    both = Inbox()
    session = broker.session(both)
    session.subscribe("0", other, 100)
    both.wait(1)
    session.subscribe("1", broker.queue, 100)
    broker.publish(broker.queue, b"mine")
    both.wait(2)
    session.ack(both.ack_id(1))
    session.close(10)
    left = Inbox()
    session = broker.session(left)
    session.subscribe("0", broker.queue, 100)
    session.subscribe("1", other, 100)
    assert [message.body for message in left.wait(1)] == [b"other"]
    session.ack(left.ack_id(0))
    session.close(10)


def test_no_more_than_the_prefetch_is_under_way(broker: Broker) -> None:
    broker.publish(broker.queue, *(b"%d" % number for number in range(10)))
    inbox = Inbox()
    session = broker.session(inbox)
    session.subscribe("0", broker.queue, 4)
    inbox.wait(4)
    session.send(f"{broker.queue}.barrier", b"", {}, receipt="barrier")
    assert session.wait_receipt("barrier", 10)
    assert inbox.bodies == [b"0", b"1", b"2", b"3"]
    session.ack(inbox.ack_id(3))
    inbox.wait(8)
    session.close(10)


def test_an_ack_of_an_earlier_connection_is_refused(broker: Broker) -> None:
    broker.publish(broker.queue, b"1")
    before = Inbox()
    session = broker.session(before)
    session.subscribe("0", broker.queue, 100)
    before.wait(1)
    session.close(10)
    after = Inbox()
    session = broker.session(after)
    session.subscribe("0", broker.queue, 100)
    after.wait(1)
    session.ack(before.ack_id(0))
    assert "Unexpected ACK" in eventually(lambda: session.lost or "")


def test_what_is_not_acknowledged_comes_again(broker: Broker) -> None:
    broker.publish(broker.queue, b"1", b"2")
    for _ in range(2):
        inbox = Inbox()
        session = broker.session(inbox)
        session.subscribe("0", broker.queue, 100)
        assert [message.body for message in inbox.wait(2)] == [b"1", b"2"]
        session.close(10)


def test_a_wrong_password_is_refused_with_the_brokers_reason(broker: Broker) -> None:
    broker.login = Login("nobody", lambda: "wrong")
    said = r"it refuses: User name .*password is invalid"
    lost = r"it closed the connection before it let us in: are user and password right\?"
    with pytest.raises(Unreachable, match=f"{said}|{lost}"):
        broker.session()


def test_a_message_has_the_headers_that_the_bridge_needs(broker: Broker) -> None:
    broker.publish(broker.queue, b"1")
    inbox = Inbox()
    session = broker.session(inbox)
    session.subscribe("7", broker.queue, 100)
    (message,) = inbox.wait(1)
    assert message.headers["subscription"] == b"7"
    assert {"ack", "message-id", "timestamp", "destination"} <= set(message.headers)
    session.ack(inbox.ack_id(0))
    session.close(10)
