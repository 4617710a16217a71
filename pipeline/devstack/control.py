"""Orders to a supervisor over the Unix socket in the stack's folder: a line of JSON each way, one order a connection.

The socket is addressed through the folder's descriptor: a Unix socket's path may have 107 bytes only, a folder's more.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from pipeline.devstack import documents
from pipeline.devstack.errors import NotThere, StackError
from pipeline.devstack.state import StackState

Verb = Literal["status", "start", "stop", "kill", "restart", "down"]


class Order(msgspec.Struct):
    verb: Verb
    service: str = ""


class Answer(msgspec.Struct):
    """``error`` is empty when the order was carried out."""

    error: str
    state: StackState


class NoSupervisor(NotThere):
    """Nobody takes orders in that folder."""


def order(control: Path, order: Order, timeout_s: float) -> StackState:
    """The state after the order was carried out.

    Raises NoSupervisor when nobody listens, NotThere without an answer in time, StackError with the reason when it
    could not be carried out.
    """
    with _short(control) as path, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout_s)
        try:
            connection.connect(path)
            connection.sendall(documents.encode(order) + b"\n")
            with connection.makefile("rb") as lines:
                line = lines.readline()
        except TimeoutError as error:
            raise NotThere(
                f"the stack in {control.parent} did not answer in {timeout_s:.0f} s: read its log/supervisor.log"
            ) from error
        except OSError as error:
            raise NoSupervisor(
                f"no stack runs in {control.parent}: say transferscope stack up --dir {control.parent}"
            ) from error
    if not line:
        raise NoSupervisor(f"the stack in {control.parent} ended: read its log/supervisor.log")
    answer = documents.decode(line, Answer)
    if answer.error:
        raise StackError(answer.error)
    return answer.state


def listener(control: Path) -> socket.socket:
    """A listening socket in place of whatever an earlier supervisor left."""
    control.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    with _short(control) as path:
        listening.bind(path)
    listening.listen()
    return listening


@contextmanager
def _short(control: Path) -> Iterator[str]:
    try:
        folder = os.open(control.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise NoSupervisor(
            f"there is no stack in {control.parent}: say transferscope stack up --dir {control.parent}"
        ) from error
    try:
        yield f"/proc/self/fd/{folder}/{control.name}"
    finally:
        os.close(folder)
