"""Messages to the brokers, as FTS publishes them: to topics, persistent, over every address behind the name in turn."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Protocol

from consumers.bridge.settings import BrokerSettings
from consumers.errors import Unreachable
from consumers.stomp.endpoint import SERVICE
from consumers.stomp.session import Lost, NoMessages, Session

CONNECTIONS = 4
"""In all, or one for each address where there are more: one alone waits for the broker's disk most of the time."""
_RECEIPT_EVERY = 250
_RECEIPT_AFTER_S = 0.5
_IN_FLIGHT = 2
_ANSWER_S = 60.0
_CLOSE_S = 5.0
_OWN_HEADERS = frozenset({"destination", "content-length", "receipt", "transaction"})


class Message(Protocol):
    """What is published: a broker topic, a body, and headers to go with it."""

    @property
    def topic(self) -> str: ...
    @property
    def body(self) -> bytes: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


def publish(
    messages: Iterable[Message],
    broker: BrokerSettings,
    rate: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Publish them all, at ``rate`` messages a second if given; how many, when the broker has stored every one.

    ``progress`` is told how many more were stored. Bodies stay as they are, byte for byte. The order is kept only
    roughly, as with FTS. Raises Unreachable; what was told to ``progress`` is stored then.
    """
    endpoints = broker.endpoints()
    with ExitStack() as open_lanes:
        lanes = []
        for number in range(max(CONNECTIONS, len(endpoints))):
            session = Session.open(endpoints[number % len(endpoints)], broker.login, NoMessages())
            open_lanes.callback(session.close, _CLOSE_S)
            lanes.append(_Lane(session, progress or (lambda count: None)))
        try:
            return _spread(messages, lanes, rate)
        except Lost as lost:
            raise Unreachable(SERVICE, broker.url, str(lost)) from lost


def create_queues(broker: BrokerSettings) -> None:
    """Make the virtual queues of this broker on every address behind its name: they keep what comes from now on.

    A virtual queue exists from its first subscription on. Raises Unreachable.
    """
    for endpoint in broker.endpoints():
        session = Session.open(endpoint, broker.login, NoMessages())
        try:
            for number, topic in enumerate(broker.topics):
                session.subscribe(str(number), broker.destination(topic), prefetch=1, receipt=f"made-{number}")
                if not session.wait_receipt(f"made-{number}", _ANSWER_S):
                    raise Lost(f"no answer within {_ANSWER_S:.0f} s")
        except Lost as lost:
            raise Unreachable(SERVICE, str(endpoint), str(lost)) from lost
        finally:
            session.close(_CLOSE_S)


def _spread(messages: Iterable[Message], lanes: Sequence[_Lane], rate: float | None) -> int:
    began = time.monotonic()
    count = 0
    for message in messages:
        if rate is not None:
            time.sleep(max(0.0, began + count / rate - time.monotonic()))
        lanes[count // _RECEIPT_EVERY % len(lanes) if rate is None else count % len(lanes)].send(message)
        count += 1
    for lane in lanes:
        lane.finish()
    return count


class _Lane:
    """A connection on which a receipt is asked for now and then: it covers all that was sent before."""

    def __init__(self, session: Session, progress: Callable[[int], None]) -> None:
        self._session = session
        self._progress = progress
        self._sent = 0
        self._asked = 0
        self._asked_at = time.monotonic()
        self._unconfirmed: deque[tuple[str, int]] = deque()

    def send(self, message: Message) -> None:
        """Send; waits while too much is unconfirmed. Raises Lost."""
        headers = {name: value for name, value in message.headers.items() if name not in _OWN_HEADERS}
        headers["persistent"] = "true"
        self._sent += 1
        receipt = None
        if self._sent >= self._asked + _RECEIPT_EVERY or time.monotonic() > self._asked_at + _RECEIPT_AFTER_S:
            receipt = f"stored-{self._sent}"
            self._unconfirmed.append((receipt, self._sent - self._asked))
            self._asked, self._asked_at = self._sent, time.monotonic()
        self._session.send(f"/topic/{message.topic}", message.body, headers, receipt)
        while len(self._unconfirmed) > _IN_FLIGHT:
            self._confirm()

    def finish(self) -> None:
        """Wait until all is stored, and disconnect. Raises Lost."""
        while self._unconfirmed:
            self._confirm()
        if not self._session.close(_ANSWER_S):
            raise Lost("it did not confirm the last messages")
        self._progress(self._sent - self._asked)

    def _confirm(self) -> None:
        receipt, count = self._unconfirmed.popleft()
        if not self._session.wait_receipt(receipt, _ANSWER_S):
            raise Lost(f"it did not confirm messages within {_ANSWER_S:.0f} s")
        self._progress(count)
