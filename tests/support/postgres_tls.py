"""TLS in front of a PostgreSQL: the local stack's own was built without it, and the client is what is tested."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.support.certificates import Pair

_SSL_REQUEST = 80877103
"""PostgreSQL's protocol, section SSL session encryption: the length 8, then this number; the reply is S or N."""


@contextmanager
def in_front_of(server_url: str, pair: Pair | None) -> Iterator[int]:
    """The port of a listener that speaks TLS with this certificate, None: refuses TLS, and passes on what is inside."""
    parts = urlsplit(server_url)
    behind = (parts.hostname or "127.0.0.1", parts.port or 5432)
    context = None
    if pair is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pair.certificate, pair.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, behind, context), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, behind: tuple[str, int], context: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError):  # closed at the end
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection, behind, context), daemon=True).start()


def _serve(connection: socket.socket, behind: tuple[str, int], context: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError), connection:
        while int.from_bytes(_exactly(connection, 8)[4:]) != _SSL_REQUEST:
            connection.sendall(b"N")  # Kerberos
        if context is None:
            connection.sendall(b"N")
            connection.recv(1)
            return
        connection.sendall(b"S")
        with context.wrap_socket(connection, server_side=True) as inside, socket.create_connection(behind) as real:
            _pass_on(inside, real)


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = connection.recv(size - len(found))
        if not piece:
            raise ConnectionError
        found += piece
    return found


def _pass_on(inside: ssl.SSLSocket, real: socket.socket) -> None:
    """One thread, because an SSLSocket is not for two: it looks at both sides in turn."""
    inside.settimeout(0.01)
    real.settimeout(0.01)
    while True:
        for source, target in ((inside, real), (real, inside)):
            try:
                piece = source.recv(65536)
            except TimeoutError:
                continue
            if not piece:
                return
            target.settimeout(60)
            target.sendall(piece)
            target.settimeout(0.01)
