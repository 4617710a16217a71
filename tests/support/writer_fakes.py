"""What stands in for ``Ingest`` in a writing process: it must be importable there."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from pipeline.ingest import BatchResult
from pipeline.store.session import Unavailable
from schemas.envelope import RawMessage


class Noting:
    """Notes into a folder, batch by batch, whose messages it got: a file for each process."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / str(os.getpid())

    def process(self, messages: Sequence[RawMessage]) -> BatchResult:
        with self._path.open("a") as notes:
            notes.write(" ".join(message.identity for message in messages) + "\n")
        return BatchResult(len(messages), len(messages), 0, 0)

    def close(self) -> None:
        self._path.with_suffix(".closed").touch()


class Away(Noting):
    """Its PostgreSQL is away."""

    def process(self, messages: Sequence[RawMessage]) -> BatchResult:
        raise Unavailable("PostgreSQL", "db:5432/x", "nobody listens")


class Killed(Noting):
    """Somebody kills the process in the middle of a batch."""

    def process(self, messages: Sequence[RawMessage]) -> BatchResult:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError
