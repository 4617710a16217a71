"""What the supervisor needs to know of a service."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class NotReady(Exception):
    """The service answers, but not yet with what a client needs."""


@dataclass(frozen=True)
class Program:
    """A program to run in ``folder``: ``user`` to become first, the signals that end it in order and with us."""

    argv: list[str]
    folder: Path
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL


Run = Callable[[Program], Awaitable[str]]
"""Runs a program to its end and gives what it wrote to stdout; raises NotThere with its last words when it fails."""


class Service(Protocol):
    name: str
    address: str
    """host:port for people."""

    async def prepare(self, run: Run) -> None:
        """Files and data before the start; done again at every start, changing only what is not as it should be."""

    def program(self) -> Program:
        """The server itself."""

    async def probe(self) -> None:
        """Returns when clients are served; else raises NotReady, OSError or EOFError. Does not wait."""

    async def finish(self, run: Run) -> None:
        """What is to be done once clients are served and before anybody uses it."""

    def environment(self) -> dict[str, str]:
        """The TRANSFERSCOPE_ settings that name it."""


def secret(path: Path) -> str:
    """The password in the file, made up when there is none yet."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24) + "\n")
    return path.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """A file that only its owner may read, replaced whole."""
    descriptor = os.open(path.with_name(path.name + ".new"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.replace(path.with_name(path.name + ".new"), path)
