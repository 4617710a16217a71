"""Options that many commands share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import click

from pipeline.cli import settings
from pipeline.store.queries.instants import parse_instant

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


def _instant(context: click.Context, parameter: click.Parameter, written: str | None) -> int | None:
    return None if written is None else parse_instant(written, time.time_ns() // 1_000_000)


def range_options(command: Callable[P, R]) -> Callable[P, R]:
    """Gives a command ``--from`` and ``--to`` as ``from_ms`` and ``to_ms``, None where left open."""
    for name, sense in (("to", "Before this time."), ("from", "From this time on: ISO 8601, -2h, now-30m.")):
        command = click.option(f"--{name}", f"{name}_ms", metavar="TIME", callback=_instant, help=sense)(command)
    return command


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
