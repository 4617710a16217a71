"""What the files of ``deploy`` say of the program, held against the program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from pipeline.cli.main import LazyGroup


def command_line(words: Sequence[str]) -> dict[str, Any]:
    """The options of a command line of ``transferscope``, without the program's name and without running it.

    Raises click.UsageError for a command or option that there is not, or not all of one.
    """
    command: click.Command = LazyGroup("transferscope")
    context = click.Context(command)
    rest = list(words)
    name = "transferscope"
    while isinstance(command, click.Group):
        if not rest:
            raise click.exceptions.NoArgsIsHelpError(context)
        name = rest.pop(0)
        found = command.get_command(context, name)
        if found is None:
            raise click.UsageError(f"there is no command {name}")
        command = found
    return command.make_context(name, rest).params
