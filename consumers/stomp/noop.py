"""The yardstick of the bridge: plain stomp.py that counts messages and acknowledges them, and does nothing else."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

import stomp

from consumers.errors import Unreachable
from consumers.stomp.endpoint import SERVICE, Endpoint, Login
from consumers.stomp.session import HEARTBEAT_MS

_ACK_EVERY = 200
"""As seldom as ActiveMQ allows: it pages in 200 messages at a time and then waits for an ack."""


class Pace(NamedTuple):
    """Messages and the seconds from the first of them to the last ack."""

    messages: int
    seconds: float


def consume(endpoint: Endpoint, login: Login, destination: str, prefetch: int, count: int, timeout_s: float) -> Pace:
    """Take ``count`` messages, with cumulative acks. Raises Unreachable when they do not come in time."""
    connection = stomp.Connection12(
        [(endpoint.address, endpoint.port)], auto_decode=False, heartbeats=(HEARTBEAT_MS, HEARTBEAT_MS)
    )
    counter = _Counter(connection, count)
    connection.set_listener("zz-counter", counter)
    connection.connect(login.user, login.password(), wait=True)
    connection.subscribe(destination, "0", ack="client", headers={"activemq.prefetchSize": str(prefetch)})
    in_time = counter.done.wait(timeout_s)
    connection.disconnect("bye")
    if not in_time:
        raise Unreachable(SERVICE, str(endpoint), f"only {counter.seen} of {count} messages came")
    return Pace(count, counter.last - counter.first)


class _Counter(stomp.ConnectionListener):  # type: ignore[misc]  # stomp.py has no types
    def __init__(self, connection: stomp.Connection12, count: int) -> None:
        self._connection = connection
        self._count = count
        self.seen = 0
        self.first = self.last = 0.0
        self.done = threading.Event()

    def on_message(self, frame: stomp.utils.Frame) -> None:
        if not self.seen:
            self.first = time.perf_counter()
        self.seen += 1
        if self.seen % _ACK_EVERY == 0 or self.seen == self._count:
            self._connection.ack(frame.headers["ack"])
        if self.seen == self._count:
            self.last = time.perf_counter()
            self.done.set()
