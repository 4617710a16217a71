"""A local stack that belongs to one command and ends with it: for the demonstration and for benchmarks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.cli.output import say
from pipeline.cli.settings import PREFIX
from pipeline.cli.stack import Telling
from pipeline.devstack.stack import Stack

_TOPOLOGY = Path(__file__).parents[2] / "deploy" / "topology.example.json"


@contextmanager
def own_stack(folder: Path) -> Iterator[dict[str, str]]:
    """Start PostgreSQL, Kafka and ActiveMQ in ``folder``; gives the environment for commands that are to use them.

    Only the stack's settings are in it, whatever the shell has set: nothing here may write into anybody's database.
    """
    say("starting PostgreSQL, Kafka and ActiveMQ")
    with Telling() as telling:
        stack = Stack.up(folder / "stack", watch=telling.watch)
    with stack:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        topology = {f"{PREFIX}TOPOLOGY": str(_TOPOLOGY)} if _TOPOLOGY.exists() else {}
        yield inherited | stack.env() | topology
