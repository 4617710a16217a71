"""What ingest and store tell of a batch to whoever counts; nobody does unless a process says so."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol


class Watch(Protocol):
    """Told a few times a batch."""

    def took(self, stage: str, seconds: float) -> None:
        """A stage (one of ``metrics.STAGES``) of a batch has ended; one that is tried again is told again."""

    def died(self, reasons: Iterable[str]) -> None:
        """These dead letters are committed: their reasons, keys of ``schemas.deadletters.REASONS``."""


class Unwatched:
    """Nobody counts."""

    def took(self, stage: str, seconds: float) -> None:
        pass

    def died(self, reasons: Iterable[str]) -> None:
        pass


class Laps:
    """Times the stages of one batch, one after the other."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._at = time.perf_counter()

    def end(self, stage: str) -> None:
        """The stage ends now, and the next one begins."""
        now = time.perf_counter()
        self._watch.took(stage, now - self._at)
        self._at = now
