"""stomp.py's transport for one address, with our TLS, and with MESSAGE frames handed over in bulk."""

from __future__ import annotations

import selectors
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

from stomp.transport import Transport
from stomp.utils import PollableQueue

from consumers.errors import Unreachable
from consumers.stomp.endpoint import SERVICE, Endpoint
from consumers.stomp.frames import Delivery, NotStomp, Splitter

CONNECT_TIMEOUT_S = 10.0
_READ_BYTES = 1 << 18
_PAUSE_S = 0.05


class Receiver(Protocol):
    """Takes messages in the connection's thread: must neither raise nor wait, except in ``wait_for_room``."""

    def put(self, messages: list[Delivery]) -> None:
        """More messages of this connection, in order."""

    def wait_for_room(self, timeout_s: float) -> bool:
        """Whether more may be read; waits for that at most so long."""


class BulkTransport(Transport):  # type: ignore[misc]  # stomp.py has no types
    """``receive`` is where stomp.py asks for bytes: messages go to the receiver there, and it gets the rest.

    A receiver without room stops the reading: the broker then keeps the messages. Heart-beats go on both ways; those
    that we do not read meanwhile are taken as received.
    """

    running: bool
    blocking: bool

    def __init__(self, endpoint: Endpoint, receiver: Receiver, on_end: Callable[[str], None]) -> None:
        """``on_end`` is told why the reading ends."""
        super().__init__([(endpoint.address, endpoint.port)], auto_decode=False, vhost=endpoint.host)
        self._endpoint = endpoint
        self._receiver = receiver
        self._on_end = on_end
        self._splitter = Splitter()

    def attempt_connection(self) -> None:
        """Connect once, with TLS where wanted. Raises Unreachable.

        stomp.py's own only logs why it failed, verifies TLS against the address that it was given (ours is behind a
        name), and goes on in clear text when ``for_hosts`` misses it.
        """
        endpoint = self._endpoint
        try:
            link = socket.create_connection((endpoint.address, endpoint.port), CONNECT_TIMEOUT_S)
        except OSError as error:
            raise _unreachable(endpoint, error) from error
        try:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if endpoint.tls is not None:
                link = endpoint.tls.context().wrap_socket(link, server_hostname=endpoint.host)
                if link.version() is None:
                    raise Unreachable(SERVICE, str(endpoint), "TLS was not set up")
        except OSError as error:
            link.close()
            raise _unreachable(endpoint, error) from error
        self.socket = link
        self.current_host_and_port = (endpoint.address, endpoint.port)
        if endpoint.tls is None:
            link.settimeout(None)
        else:
            # As stomp.py does: an SSLSocket is not for two threads, so its reader also writes what is queued.
            self.send_queue = PollableQueue()
            self.sel = selectors.DefaultSelector()
            self.sel.register(self.send_queue, selectors.EVENT_READ)
            self.sel.register(link, selectors.EVENT_READ)
            self.blocking = False
            link.setblocking(False)

    def receive(self) -> bytes:
        """Bytes of frames that are not messages; ``b""`` at the end of the connection."""
        while self.running:
            if not self._receiver.wait_for_room(_PAUSE_S):
                self.notify("heartbeat")
                self._let_write()
                continue
            try:
                piece: bytes = self.socket.recv(_READ_BYTES)
                messages, others = self._splitter.feed(piece)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except (OSError, NotStomp) as error:
                self._on_end(f"the connection broke ({error})")
                break
            if not piece:
                break
            self.notify("heartbeat")
            if messages:
                self._receiver.put(messages)
            if others:
                return others
            self._let_write()
        self.running = False
        return b""

    def _let_write(self) -> None:
        """On TLS the loop above us writes when there is nothing to read, and so it must hear that now and then."""
        if not self.blocking:
            raise ssl.SSLWantReadError


def _unreachable(endpoint: Endpoint, error: OSError) -> Unreachable:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f"its certificate is refused: {error.verify_message} (the name must be {endpoint.host})"
        if "self-signed" in error.verify_message or "issuer" in error.verify_message:
            why = f"its certificate is refused: {error.verify_message} (is its authority in ca_file?)"
    elif isinstance(error, ssl.SSLError):
        why = f"TLS failed: {error.reason or error}"
    elif isinstance(error, TimeoutError):
        why = f"no answer within {CONNECT_TIMEOUT_S:.0f} s"
    else:
        why = error.strerror or str(error)
        if error.filename:
            why = f"{error.filename}: {why}"
    return Unreachable(SERVICE, str(endpoint), why)
