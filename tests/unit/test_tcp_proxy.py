"""What passes the proxy, and what does not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from tests.support.tcp_proxy import Proxy, kafka_frames
from tests.support.waiting import eventually


class Echo:
    """Answers what it hears, byte for byte."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.ended = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while heard := connection.recv(1024):
                connection.sendall(heard)
        self.ended += 1


@pytest.fixture
def echo() -> Iterator[Echo]:
    with closing(Echo()) as echo:
        yield echo


def client(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def ask(connection: socket.socket, said: bytes) -> bytes:
    connection.sendall(said)
    return connection.recv(1024)


def test_everything_passes_and_the_end_too(echo: Echo) -> None:
    with Proxy(echo.port) as proxy:
        with client(proxy) as connection:
            assert ask(connection, b"abc") == b"abc"
        eventually(lambda: echo.ended == 1)


def test_a_cut_resets_both_sides_and_new_connections_pass(echo: Echo) -> None:
    with Proxy(echo.port) as proxy, client(proxy) as connection:
        ask(connection, b"abc")
        assert proxy.cut() == 1
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
        eventually(lambda: echo.ended == 1)
        with client(proxy) as another:
            assert ask(another, b"abc") == b"abc"


def test_what_is_said_in_the_silence_is_heard_afterwards(echo: Echo) -> None:
    with Proxy(echo.port) as proxy, client(proxy) as connection:
        ask(connection, b"abc")
        with proxy.silent(), client(proxy) as another:
            for each in (connection, another):
                each.sendall(b"def")
                each.settimeout(0.1)
                with pytest.raises(TimeoutError):
                    each.recv(1)
        connection.settimeout(5)
        assert connection.recv(1024) == b"def"


def test_a_forgotten_client_hears_nothing_until_it_is_reset(echo: Echo) -> None:
    with Proxy(echo.port) as proxy, client(proxy) as connection:
        ask(connection, b"abc")
        assert proxy.forget() == 1
        eventually(lambda: echo.ended == 1)
        connection.sendall(b"def")
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        with client(proxy) as another:
            assert ask(another, b"abc") == b"abc"
        proxy.reset_forgotten()
        connection.settimeout(5)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_slow_is_late_in_both_directions(echo: Echo) -> None:
    with Proxy(echo.port) as proxy, client(proxy) as connection:
        ask(connection, b"abc")
        began = time.monotonic()
        with proxy.slow(0.1):
            assert ask(connection, b"abc") == b"abc"
        assert time.monotonic() - began >= 0.2


def test_a_service_that_is_away_resets_its_clients() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with (
            Proxy(nobody.getsockname()[1]) as proxy,
            pytest.raises(ConnectionResetError),  # which may come before the client has seen that it is connected
            client(proxy) as connection,
        ):
            connection.recv(1)


def test_kafka_is_told_to_be_where_the_proxy_is(echo: Echo) -> None:
    def frame(port: int) -> bytes:
        body = b"\0\x09127.0.0.1" + port.to_bytes(4, "big") + b"1"
        return len(body).to_bytes(4, "big") + body

    with Proxy(echo.port, lambda own: kafka_frames(echo.port, own)) as proxy, client(proxy) as connection:
        assert ask(connection, frame(echo.port)) == frame(proxy.port)
