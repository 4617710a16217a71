"""How far a long command is: a bar on a terminal, a line now and then otherwise. On stderr, never among the answers."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from pipeline.cli.output import say
from pipeline.cli.terminal import safe
from pipeline.units import count

T = TypeVar("T")

LINE_EVERY_S = 5.0
_COUNT_EVERY = 500


class Progress:
    """Counts ``unit`` done, with their rate, against a whole that may be measured otherwise (bytes of a file).

    ``with Progress("replaying", "messages", whole=size) as progress: progress.advance(n, position)``. Without a
    ``whole`` the count has no end.
    """

    def __init__(self, what: str, unit: str, whole: float | None = None) -> None:
        self._what = what
        self._unit = unit
        self._whole = whole
        self._done = 0
        self._position = 0.0
        self._began = self._told = time.monotonic()
        self._bars: Bars | None = None
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
            self._bars = Bars(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bars.add_task(self._text(), total=whole)

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def advance(self, number: int, position: float | None = None) -> None:
        """``number`` more are done, which is ``position`` of the whole (else their count is)."""
        self._done += number
        self._position = self._done if position is None else position
        if self._bars is not None:
            self._bars.update(self._task, description=self._text(), completed=self._position)
        elif time.monotonic() - self._told >= LINE_EVERY_S:
            self._told = time.monotonic()
            share = f" ({self._position / self._whole:.0%})" if self._whole else ""
            say(f"{self._text()}{share}")

    @property
    def done(self) -> int:
        """How many there were so far."""
        return self._done

    def counting(self, items: Iterable[T]) -> Iterator[T]:
        """The same items; each is done when the next one is asked for."""
        waiting = 0
        for item in items:
            yield item
            waiting += 1
            if waiting == _COUNT_EVERY:
                self.advance(waiting)
                waiting = 0
        self.advance(waiting)

    def summary(self) -> str:
        """``12 345 messages in 3.4 s, 3 630/s``."""
        passed = time.monotonic() - self._began
        return f"{count(self._done)} {self._unit} in {passed:.1f} s, {self._rate(passed)}/s"

    def _text(self) -> str:
        rate = self._rate(time.monotonic() - self._began)
        return f"{self._what}: {count(self._done)} {self._unit}, {rate}/s"

    def _rate(self, passed: float) -> str:
        return count(round(self._done / max(passed, 0.001)))


class Waiting:
    """What is being waited for: one line that changes on a terminal, a line now and then otherwise."""

    def __init__(self) -> None:
        self._status = Console(stderr=True).status("") if sys.stderr.isatty() else None
        self._told = time.monotonic()

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._status is not None:
            self._status.stop()

    def tell(self, text: str) -> None:
        """This is how it is now."""
        if self._status is not None:
            self._status.update(safe(text))
        elif time.monotonic() - self._told >= LINE_EVERY_S:
            self._told = time.monotonic()
            say(text)


class Steps(Waiting):
    """A work of few large steps, whose number is known only when it has begun."""

    def __init__(self, what: str, unit: str) -> None:
        super().__init__()
        self._what = what
        self._unit = unit

    def tell_step(self, done: int, whole: int) -> None:
        """So many steps of all are done."""
        self.tell(f"{self._what}: {count(done)} of {count(whole)} {self._unit}")
