"""The same answer again and again in one place of a terminal, until Ctrl-C."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from pipeline.cli.errors import UNREACHABLE
from pipeline.cli.outcomes import outcome
from pipeline.cli.stopping import told_to_stop
from pipeline.cli.terminal import safe


class Drawing(NamedTuple):
    """An answer and the sentence about it."""

    body: RenderableType
    summary: str


def watch(draw: Callable[[], Drawing], every_s: float) -> None:
    """Show what ``draw`` gives, again after every pause of ``every_s``; returns on SIGINT and SIGTERM.

    While something that it needs is away the last answer stays, under a line that says so and how old it is. The first
    one must succeed: its errors, and all bugs, are raised. A signal does not interrupt, it ends the pause: a
    KeyboardInterrupt that is raised while a destructor or a callback from C runs is printed and forgotten.
    """
    _redraw(draw, every_s, told_to_stop())


def _redraw(draw: Callable[[], Drawing], every_s: float, stop: threading.Event) -> None:
    shown, at = draw(), _now()
    plan = f"every {every_s:g} s until Ctrl-C"
    with Live(
        _under(_line(shown, at, plan), "bold", shown),
        console=Console(file=sys.stdout),
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as live:
        while not stop.wait(every_s):
            try:
                shown, at = draw(), _now()
            except Exception as error:
                meant = outcome(error)
                if meant is None or meant.exit_code != UNREACHABLE:
                    raise
                live.update(_under(f"{meant.sentence}; below: as of {at}", "bold red", shown), refresh=True)
            else:
                live.update(_under(_line(shown, at, plan), "bold", shown), refresh=True)


def _line(shown: Drawing, at: str, plan: str) -> str:
    return f"as of {at}, {plan}: {shown.summary}"


def _under(line: str, style: str, shown: Drawing) -> Group:
    """The line stands first: a terminal that is too low loses the last rows."""
    return Group(Text(safe(line), style), shown.body)


def _now() -> str:
    return datetime.now(UTC).strftime("%H:%M:%S UTC")
