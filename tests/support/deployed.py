"""What the files of ``deploy`` say of the program, held against the program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from pipeline.cli.main import LazyGroup


def command_line(words: Sequence[str]) -> dict[str, Any]:
    """The options of a command line of ``transferscope``, without the program's name and without running it.

    Raises click.UsageError for a command or option that there is not.
    """
    command: click.Command | None = LazyGroup("transferscope")
    context = click.Context(command)
    rest = list(words)
    name = ""
    while isinstance(command, click.Group):
        name = rest.pop(0)
        command = command.get_command(context, name)
    if command is None:
        raise click.UsageError(f"there is no command {name}")
    return command.make_context(name, rest).params
