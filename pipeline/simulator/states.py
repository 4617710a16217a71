"""What the FTS server says of a file in a queue while its attempts run: submitted, staged, active, ended."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from pipeline.simulator.script import ABORTED, NEVER, OK, Attempt, File, Span

SUBMITTED, STAGING, READY, ACTIVE = "SUBMITTED", "STAGING", "READY", "ACTIVE"
FINISHED, FAILED, CANCELED = "FINISHED", "FAILED", "CANCELED"
FINAL = frozenset({FINISHED, FAILED, CANCELED})


class FileState(NamedTuple):
    """A file of a job reached a state at ``at_ms``. ``submitted_ms`` is 0 in the first SUBMITTED, which has no such
    field; ``staging`` is when it was brought from tape, ``attempt`` how often it was tried before."""

    file: File
    state: str
    job_state: str
    reason: str
    at_ms: int
    submitted_ms: int
    staging: Span
    attempt: int

    @property
    def wait_ms(self) -> int | None:
        """Of ACTIVE: how long the file waited since it was submitted or, if that was later, had come from tape."""
        return self.at_ms - max(self.submitted_ms, self.staging[1]) if self.state == ACTIVE else None

    @property
    def staging_ms(self) -> int | None:
        """Of ACTIVE: how long it took to come from tape."""
        begin, end = self.staging
        return end - begin if self.state == ACTIVE and end else None


class FileStates:
    """Tells the states of one file, attempt by attempt. What a failed attempt ends in depends on whether another one
    follows, so the last word on each is told with the next, or at the ``end``."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._before: Attempt | None = None
        self._submitted_ms = 0
        self._staging: Span = NEVER

    def attempt(self, attempt: Attempt) -> Iterator[FileState]:
        """The states that the file reaches up to the begin of this attempt."""
        begin_ms = attempt.begin_ms or attempt.event_ms
        if self._before is None:
            yield from self._submission(attempt, begin_ms)
        else:
            # To try again is to be submitted again: the wait of the next attempt begins here.
            self._submitted_ms, self._staging = self._before.event_ms + 5, NEVER
            failure = self._before.failure
            yield self._state(self._before, SUBMITTED, self._submitted_ms, failure.category if failure else "")
        self._before = attempt
        if attempt.begin_ms:
            active_ms = max(begin_ms - int(self._rng.random() * 300), self._submitted_ms, self._staging[1])
            yield self._state(attempt, ACTIVE, active_ms)

    def end(self) -> Iterator[FileState]:
        """The state that the file ends in."""
        last = self._before
        if last is not None:
            state = {OK: FINISHED, ABORTED: CANCELED}.get(last.state, FAILED)
            reason = last.failure.category if last.failure else ""
            yield self._state(last, state, last.event_ms + int(self._rng.random() * 900), reason)

    def _submission(self, attempt: Attempt, begin_ms: int) -> Iterator[FileState]:
        chance = self._rng.random
        self._submitted_ms = begin_ms - 1000 - int(chance() ** 3 * 2_400_000)
        yield self._state(attempt, SUBMITTED, self._submitted_ms)._replace(submitted_ms=0)
        if attempt.begin_ms and attempt.file.link.src.tape:
            staged_ms = begin_ms - int(chance() * 600)
            asked_ms = staged_ms - int(chance() * (staged_ms - self._submitted_ms))
            yield self._state(attempt, STAGING, asked_ms)
            self._staging = (asked_ms, staged_ms)
        elif attempt.begin_ms and chance() < 0.1:
            yield self._state(attempt, READY, begin_ms - 600)

    def _state(self, attempt: Attempt, state: str, at_ms: int, reason: str = "") -> FileState:
        job_state = state if state in FINAL else ACTIVE if state == ACTIVE else SUBMITTED
        return FileState(
            attempt.file, state, job_state, reason, at_ms, self._submitted_ms, self._staging, attempt.number
        )
