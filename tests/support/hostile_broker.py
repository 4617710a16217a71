"""A server that lets everybody in and then sends what a test likes, whatever it is asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

CONNECTED = b"CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0\n"

Act = Callable[["Visitor"], None]


class Visitor:
    """A connection, as an act sees it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._heard = b""

    def send(self, *pieces: bytes) -> None:
        """Each piece by itself."""
        for piece in pieces:
            self._connection.sendall(piece)

    def await_word(self, word: bytes) -> bytes:
        """All that was heard, once the word was; OSError when the other side leaves without it."""
        while word not in self._heard:
            piece = self._connection.recv(65536)
            if not piece:
                raise ConnectionResetError
            self._heard += piece
        return self._heard

    def end(self) -> None:
        """Send nothing more. Leaving with words unheard would be a reset instead."""
        self._connection.shutdown(socket.SHUT_WR)

    def listen(self) -> None:
        """Until the other side leaves."""
        while self._connection.recv(65536):
            pass


class HostileBroker:
    """Performs an act with each connection, one after the other, the last one again and again."""

    def __init__(self, *acts: Act) -> None:
        self._acts = acts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.visits = 0
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            act = self._acts[min(self.visits, len(self._acts) - 1)]
            self.visits += 1
            with connection, suppress(OSError):
                act(Visitor(connection))
