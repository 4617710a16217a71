"""What operators order by commands, in the audit."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

from pipeline.store import audit
from pipeline.store.audit import BEGUN, DONE, Action, Actor
from pipeline.store.session import Unavailable, connect


def actor() -> Actor:
    """The user of the operating system whose process this is, on this host."""
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:  # in a container
        name = f"uid {number}"
    return Actor(name, "os", socket.gethostname())


def note(database_url: str, action: str, subject: str, result: str = DONE) -> None:
    """A line about something that is done in a moment. Raises Unavailable."""
    with closing(connect(database_url)) as connection:
        audit.note(connection, Action(actor(), action, subject), result)


@contextmanager
def audited(database_url: str, action: str, subject: str) -> Iterator[None]:
    """A line when the block begins and one when it ends, with its failure if it fails: one that is killed leaves the
    first. Raises Unavailable before the block."""
    ordered = Action(actor(), action, subject)
    _add(database_url, ordered, BEGUN)
    try:
        yield
    except BaseException as error:
        try:
            _add(database_url, ordered, f"failed: {type(error).__name__}: {' '.join(str(error).split())}")
        except Unavailable as away:
            error.add_note(f"the audit has no line about this failure: {away}")
        raise
    _add(database_url, ordered, DONE)


def _add(database_url: str, action: Action, result: str) -> None:
    with closing(connect(database_url)) as connection:
        audit.note(connection, action, result)
