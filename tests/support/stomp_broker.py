"""A small STOMP 1.2 broker in this process: one queue a destination, cumulative acks, redelivery, nothing on disk.

Like ActiveMQ it hands out again what was not acknowledged when a connection ends, knows ack ids of the connection on
which it sent them only, and answers any other with an ERROR. ``tests/contract`` holds it to that.
"""

from __future__ import annotations

import itertools
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Self

Headers = dict[str, str]


@dataclass
class _Message:
    headers: Headers
    body: bytes


@dataclass
class _Subscription:
    id: str
    destination: str
    prefetch: int
    unacknowledged: dict[str, _Message] = field(default_factory=dict)


class StompBroker:
    """Listens on a free port while the context lasts; ``stop`` and ``start`` take it away and bring it back."""

    def __init__(self, user: str | None = None, password: str | None = None, *, may_read: bool = True) -> None:
        """With a login, nobody else is let in; without ``may_read`` every subscription is refused."""
        self._login = (user, password)
        self.may_read = may_read
        self._queues: dict[str, deque[_Message]] = {}
        self._lock = threading.RLock()
        self._clients: set[_Client] = set()
        self._listener: socket.socket | None = None
        self._numbers = itertools.count(1)
        self.port = 0
        self.connections = 0
        self.errors: list[str] = []
        self.on_send: Callable[[str, Headers], None] = lambda destination, headers: None
        """Is told of all that is sent, where and with which headers, when it is in its queue."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, on the port of before if there was one."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Hang up on everybody. Messages stay."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.hang_up()

    def hang_up(self) -> None:
        """End all connections; new ones are taken."""
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.end()

    def put(self, destination: str, *bodies: bytes) -> None:
        """Messages into a queue; ``put`` order is delivery order."""
        with self._lock:
            for body in bodies:
                headers = {"message-id": f"ID:fake-{next(self._numbers)}", "timestamp": "1795300000000"}
                self._queues.setdefault(destination, deque()).append(_Message(headers, body))
            self._dispatch()

    def left(self, destination: str) -> int:
        """Messages that nobody has acknowledged."""
        with self._lock:
            held = sum(
                len(subscription.unacknowledged)
                for client in self._clients
                for subscription in client.subscriptions.values()
                if subscription.destination == destination
            )
            return len(self._queues.get(destination, ())) + held

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            client = _Client(self, connection)
            with self._lock:
                self._clients.add(client)
            threading.Thread(target=client.run, daemon=True).start()

    def _dispatch(self) -> None:
        for client in self._clients:
            for subscription in client.subscriptions.values():
                queue = self._queues.setdefault(subscription.destination, deque())
                while queue and len(subscription.unacknowledged) < subscription.prefetch:
                    message = queue.popleft()
                    ack = f"{id(client)}:{next(self._numbers)}"
                    subscription.unacknowledged[ack] = message
                    told = {"subscription": subscription.id, "destination": subscription.destination, "ack": ack}
                    client.send("MESSAGE", message.headers | told, message.body)

    def _gone(self, client: _Client) -> None:
        with self._lock:
            self._clients.discard(client)
            for subscription in client.subscriptions.values():
                queue = self._queues.setdefault(subscription.destination, deque())
                queue.extendleft(reversed(subscription.unacknowledged.values()))
            client.subscriptions.clear()
            self._dispatch()

    def _acknowledge(self, client: _Client, ack: str) -> bool:
        with self._lock:
            for subscription in client.subscriptions.values():
                if ack in subscription.unacknowledged:
                    for covered in list(subscription.unacknowledged):
                        del subscription.unacknowledged[covered]
                        if covered == ack:
                            break
                    self._dispatch()
                    return True
        return False


class _Client:
    """One connection, served by a thread."""

    def __init__(self, broker: StompBroker, connection: socket.socket) -> None:
        self.subscriptions: dict[str, _Subscription] = {}
        self._broker = broker
        self._connection = connection
        self._writing = threading.Lock()

    def run(self) -> None:
        try:
            with self._connection.makefile("rb") as incoming:
                while (frame := _read(incoming)) is not None and self._handle(*frame):
                    pass
        except OSError:
            pass
        self._broker._gone(self)
        self._connection.close()

    def end(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def send(self, command: str, headers: Headers, body: bytes = b"") -> None:
        lines = [command, *(f"{n}:{_escaped(v)}" for n, v in headers.items()), f"content-length:{len(body)}", "", ""]
        with self._writing:
            try:
                self._connection.sendall("\n".join(lines).encode() + body + b"\0\n")
            except OSError:
                self.end()

    def _handle(self, command: str, headers: Headers, body: bytes) -> bool:
        broker = self._broker
        if command in ("STOMP", "CONNECT"):
            if (headers.get("login"), headers.get("passcode")) != broker._login:
                return self._error("User name or password is invalid.")
            broker.connections += 1
            self.send("CONNECTED", {"version": "1.2", "heart-beat": "0,0"})
        elif command == "SUBSCRIBE" and not broker.may_read:
            return self._error(f"User {headers.get('login')} is not authorized to read from: {headers['destination']}")
        elif command == "SUBSCRIBE":
            prefetch = int(headers.get("activemq.prefetchSize", "1000"))
            subscription = _Subscription(headers["id"], headers["destination"], prefetch)
            self._receipt(headers)
            with broker._lock:
                self.subscriptions[subscription.id] = subscription
                broker._dispatch()
            return True
        elif command == "SEND":
            destination = headers["destination"]
            with broker._lock:
                broker._queues.setdefault(destination, deque()).append(
                    _Message({"message-id": f"ID:fake-{next(broker._numbers)}", "timestamp": "1"}, body)
                )
                broker._dispatch()
            broker.on_send(destination, headers)
        elif command == "ACK" and not broker._acknowledge(self, headers["id"]):
            return self._error(f"Unexpected ACK received for message-id [{headers['id']}]")
        self._receipt(headers)
        return command != "DISCONNECT"

    def _receipt(self, headers: Headers) -> None:
        if "receipt" in headers:
            self.send("RECEIPT", {"receipt-id": headers["receipt"]})

    def _error(self, message: str) -> bool:
        self._broker.errors.append(message)
        self.send("ERROR", {"message": message})
        return False


def _read(incoming: IO[bytes]) -> tuple[str, Headers, bytes] | None:
    line = incoming.readline()
    while line == b"\n":
        line = incoming.readline()
    if not line:
        return None
    command, headers = line.decode().strip(), {}
    while (line := incoming.readline()) not in (b"\n", b""):
        name, _, value = line.decode().rstrip("\n").partition(":")
        headers[_unescaped(name)] = _unescaped(value)
    length = int(headers.get("content-length", 0))
    body = incoming.read(length)
    incoming.read(1)
    return command, headers, body


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace(":", "\\c")


def _unescaped(text: str) -> str:
    return text.replace("\\c", ":").replace("\\n", "\n").replace("\\r", "\r").replace("\\\\", "\\")
