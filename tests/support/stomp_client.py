"""STOMP 1.2 in a few lines over a connected socket, so that tests of the broker do not lean on the product's client."""

from __future__ import annotations

import socket
from typing import Self


class StompClient:
    """Waits at most the socket's timeout; raises ConnectionError for an ERROR frame or a closed connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._incoming = connection.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._incoming.close()
        self._connection.close()

    def connect(self, user: str, password: str) -> None:
        self._write("CONNECT", {"accept-version": "1.2", "host": "local", "login": user, "passcode": password})
        self._expect("CONNECTED")

    def subscribe(self, destination: str, **headers: str) -> None:
        """Auto-acknowledging; returns when the broker has the subscription."""
        self._write("SUBSCRIBE", {"id": "1", "destination": destination, "receipt": "subscribed", **_named(headers)})
        self._expect("RECEIPT")

    def send(self, destination: str, body: bytes, **headers: str) -> None:
        """Persistent; returns when the broker has it."""
        length = {"content-length": str(len(body))}
        self._write(
            "SEND",
            {"destination": destination, "persistent": "true", "receipt": "sent", **length, **_named(headers)},
            body,
        )
        self._expect("RECEIPT")

    def receive(self) -> bytes:
        """The body of the next message."""
        return self._expect("MESSAGE")

    def _write(self, command: str, headers: dict[str, str], body: bytes = b"") -> None:
        lines = [command, *(f"{name}:{value}" for name, value in headers.items()), "", ""]
        self._connection.sendall("\n".join(lines).encode() + body + b"\0")

    def _expect(self, wanted: str) -> bytes:
        command, headers, body = self._read()
        if command != wanted:
            raise ConnectionError(f"{command or 'closed'} instead of {wanted}: {headers} {body[:200]!r}")
        return body

    def _read(self) -> tuple[str, dict[str, str], bytes]:
        command = self._incoming.readline()
        while command == b"\n":  # a heart-beat, or the end of the last frame
            command = self._incoming.readline()
        headers: dict[str, str] = {}
        while line := self._incoming.readline().rstrip(b"\n"):
            name, _, value = line.decode().partition(":")
            headers.setdefault(name, value)
        if "content-length" in headers:
            body = self._incoming.read(int(headers["content-length"]))
            self._incoming.read(1)
        else:
            body = b""
            while (byte := self._incoming.read(1)) not in (b"\0", b""):
                body += byte
        return command.decode().strip(), headers, body


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
