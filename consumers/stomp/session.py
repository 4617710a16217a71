"""One connection to one broker, from its beginning to its end: it never reconnects, and its acks die with it."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Self

from stomp import ConnectionListener
from stomp.connect import BaseConnection
from stomp.protocol import Protocol12

from consumers.errors import Unreachable
from consumers.stomp.endpoint import SERVICE, Endpoint, Login
from consumers.stomp.frames import Delivery
from consumers.stomp.transport import CONNECT_TIMEOUT_S, BulkTransport, Receiver

log = logging.getLogger(__name__)
logging.getLogger("stomp.py").setLevel(logging.CRITICAL)  # what matters of it reaches us as calls

HEARTBEAT_MS = 10_000
"""Asked for in both directions. The broker is given up after one and a half of them without a sign of life."""
_LISTENER = "zz-session"
"""stomp.py calls listeners in order of their names: ours comes after its own ``protocol-listener``."""
_HUNG_UP = "it closed the connection"


class Lost(Exception):
    """The connection is gone; the broker hands out again what was not acknowledged on it."""


class Session:
    """A STOMP 1.2 connection. Messages go to ``receiver`` in stomp.py's thread; everything else is for one thread."""

    def __init__(self, endpoint: Endpoint, receiver: Receiver) -> None:
        self.endpoint = endpoint
        self._listener = _Listener()
        self._transport = BulkTransport(endpoint, receiver, self._listener.end)
        self._connection = _Connection(self._transport)
        self._connection.set_listener(_LISTENER, self._listener)

    @classmethod
    def open(cls, endpoint: Endpoint, login: Login, receiver: Receiver) -> Self:
        """A session that the broker has let in. Raises Unreachable with the reason."""
        session = cls(endpoint, receiver)
        try:
            session._connect(login)
        except BaseException:
            session._drop()
            raise
        return session

    def _connect(self, login: Login) -> None:
        try:
            password = login.password()
        except OSError as error:
            why = f"the password file {error.filename} cannot be read ({error.strerror})"
            raise Unreachable(SERVICE, str(self.endpoint), why) from error
        self._transport.start()
        try:
            self._connection.connect(login.user, password)
        except Exception as error:
            raise self._not_let_in(f"it hung up ({error})") from error
        if not self._listener.wait_connected(CONNECT_TIMEOUT_S):
            why = self._listener.why or f"no STOMP answer within {CONNECT_TIMEOUT_S:.0f} s"
            if why == _HUNG_UP:  # its reason goes before, and is lost when the connection is reset
                why += " before it let us in: are user and password right?"
            raise self._not_let_in(why)

    def _not_let_in(self, why: str) -> Unreachable:
        tls = self.endpoint.tls
        if tls is not None and tls.cert_file is None and not self._listener.refused:
            # TLS 1.3 tells a client after its handshake, and the broker may hang up before that is read.
            why += "; if it asks its clients for a certificate, set cert_file"
        return Unreachable(SERVICE, str(self.endpoint), why)

    @property
    def lost(self) -> str | None:
        """Why the connection is gone, None while it is there."""
        return self._listener.why

    def subscribe(
        self,
        subscription: str,
        destination: str,
        prefetch: int,
        receipt: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take messages with cumulative acks; at most ``prefetch`` are under way unacknowledged. Raises Lost.

        ``headers`` ask the broker for more, as ``browser`` and ``transformation`` do.
        """
        more = {"activemq.prefetchSize": str(prefetch), **(headers or {})}
        if receipt:
            more["receipt"] = self._listener.expect(receipt)
        self._do(lambda: self._connection.subscribe(destination, subscription, ack="client", headers=more))

    def ack(self, ack_id: str) -> None:
        """This message and all before it of its subscription are done. Raises Lost."""
        self._do(lambda: self._connection.ack(ack_id))

    def send(self, destination: str, body: bytes, headers: Mapping[str, str], receipt: str | None = None) -> None:
        """Publish; bytes stay as they are. Raises Lost."""
        more = {**headers, "content-length": str(len(body))}
        if receipt:
            more["receipt"] = self._listener.expect(receipt)
        self._do(lambda: self._connection.send(destination, body, headers=more))

    def wait_receipt(self, receipt: str, timeout_s: float) -> bool:
        """Whether the broker says within that time that it has done what asked for this receipt. Raises Lost."""
        if self._listener.wait_receipt(receipt, timeout_s):
            return True
        if self.lost is not None:
            raise Lost(self.lost)
        return False

    def close(self, timeout_s: float) -> bool:
        """End in order; whether the broker confirmed within that time all that it was sent before."""
        receipt = f"bye-{uuid.uuid4()}"
        confirmed = False
        try:
            # stomp.py's own disconnect closes the socket before it tells of the receipt.
            self._listener.expect(receipt)
            self._do(lambda: self._connection.send_frame("DISCONNECT", {"receipt": receipt}))
            confirmed = self._listener.wait_receipt(receipt, timeout_s)
        except Lost:
            pass
        self._drop()
        return confirmed

    def _do(self, action: Callable[[], object]) -> None:
        if self.lost is not None:
            raise Lost(self.lost)
        try:
            action()
        except Exception as error:
            self._listener.end(f"it cannot be written to ({error})")
            raise Lost(self.lost) from error

    def _drop(self) -> None:
        try:
            self._transport.disconnect_socket()
        except Exception as error:  # noqa: BLE001 - its clean-up may meet that of its own threads
            log.debug("closing the connection to %s: %s", self.endpoint, error)


class _Connection(BaseConnection, Protocol12):  # type: ignore[misc]  # stomp.py has no types
    """stomp.py's STOMP 1.2 connection over our transport; the transport is started by the session."""

    def __init__(self, transport: BulkTransport) -> None:
        BaseConnection.__init__(self, transport)
        Protocol12.__init__(self, transport, (HEARTBEAT_MS, HEARTBEAT_MS))


class _Listener(ConnectionListener):  # type: ignore[misc]  # stomp.py has no types
    """Notes what happens to the connection. Called in stomp.py's threads: it neither waits nor raises."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._connected = False
        self._expected: set[str] = set()
        self._receipts: set[str] = set()
        self.why: str | None = None
        self.refused = False

    def on_connected(self, frame: object) -> None:
        with self._changed:
            self._connected = True
            self._changed.notify_all()

    def on_receipt(self, frame: object) -> None:
        receipt = str(getattr(frame, "headers", {}).get("receipt-id"))
        with self._changed:
            if receipt in self._expected:  # of others there is no end, if somebody likes
                self._expected.remove(receipt)
                self._receipts.add(receipt)
                self._changed.notify_all()

    def on_error(self, frame: object) -> None:
        headers, body = getattr(frame, "headers", {}), getattr(frame, "body", b"") or b""
        said = headers.get("message") or body[:200].decode(errors="replace").partition("\n")[0]
        self.refused = True
        self.end(f"it refuses: {said}")

    def on_heartbeat_timeout(self) -> None:
        # stomp.py has closed the socket and told of that first: this is the reason behind it.
        self.why = f"no sign of life for {HEARTBEAT_MS * 1.5 / 1000:.0f} s"

    def on_disconnected(self) -> None:
        self.end(_HUNG_UP)

    def end(self, why: str) -> None:
        """The first reason counts."""
        with self._changed:
            self.why = self.why or why
            self._changed.notify_all()

    def wait_connected(self, timeout_s: float) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._connected or self.why is not None, timeout_s)
            return self._connected and self.why is None

    def expect(self, receipt: str) -> str:
        """A receipt that is asked for, and so remembered when it comes."""
        with self._changed:
            self._expected.add(receipt)
        return receipt

    def wait_receipt(self, receipt: str, timeout_s: float) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: receipt in self._receipts or self.why is not None, timeout_s)
            found = receipt in self._receipts
            self._receipts.discard(receipt)
            return found


class NoMessages:
    """A receiver for connections that only send."""

    def put(self, messages: list[Delivery]) -> None:
        """None is asked for, none is kept."""

    def wait_for_room(self, timeout_s: float) -> bool:
        return True
