"""Options that many commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import click

from pipeline.cli import settings

P = ParamSpec("P")
R = TypeVar("R")


def with_settings(command: Callable[Concatenate[settings.Settings, P], R]) -> Callable[P, R]:
    """Gives a command the option ``--config FILE`` and, as its first argument, the settings resolved with it."""

    @click.option(
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=f"TOML file with settings; else {settings.CONFIG_VARIABLE} names it. The environment wins over it.",
    )
    @wraps(command)
    def wrapped(*arguments: P.args, **options: P.kwargs) -> R:
        config = options.pop("config")
        assert config is None or isinstance(config, Path)
        return command(settings.load(config, os.environ), *arguments, **options)

    return wrapped


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
