"""How far the messages of a demonstration are: a bar a stage on a terminal, a line now and then otherwise."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import NamedTuple, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from pipeline.cli.output import say
from pipeline.cli.progress import LINE_EVERY_S
from pipeline.store.totals import Totals
from pipeline.units import count


class Flow(NamedTuple):
    """Messages published so far, and what became of those that arrived."""

    published: int
    arrived: Totals


class FlowView:
    """Shows a ``Flow`` as often as it is told one."""

    def __init__(self, messages: int) -> None:
        self._messages = messages
        self._began = self._told = time.monotonic()
        self._bars: Bars | None = None
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bars = Bars(*columns, console=Console(stderr=True))
            self._published = self._bars.add_task("published to ActiveMQ", total=messages)
            self._arrived = self._bars.add_task("in PostgreSQL", total=messages)

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def show(self, flow: Flow) -> None:
        """Show the newest numbers."""
        arrived = flow.arrived
        last = sum(arrived) >= self._messages
        text = f"in PostgreSQL ({count(arrived.duplicate)} duplicates, {count(arrived.dead)} dead)"
        if self._bars is not None:
            self._bars.update(self._published, completed=flow.published)
            self._bars.update(self._arrived, completed=sum(arrived), description=text)
        elif last or time.monotonic() - self._told >= LINE_EVERY_S:
            self._told = time.monotonic()
            say(
                f"{self._told - self._began:.0f} s: {count(flow.published)} of {count(self._messages)} published, "
                f"{count(sum(arrived))} {text}"
            )
