"""Options that many commands share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import click

from pipeline.cli import settings
from pipeline.cli.errors import ConfigurationError
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


def health_options(command: Callable[P, R]) -> Callable[P, R]:
    """Gives a command ``--health-host`` and ``--health-port``: where its page with health and metrics listens."""
    port = click.IntRange(0, 65535)
    command = click.option(
        "--health-port", type=port, default=0, show_default=True, help="0: a free one, told in the log."
    )(command)
    return click.option(
        "--health-host", default="127.0.0.1", show_default=True, help="Where health page and metrics listen."
    )(command)


@contextmanager
def a_free_address(host: str, port: int) -> Iterator[None]:
    """Says what to do when a health page cannot have its address. Raises ConfigurationError for it."""
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise ConfigurationError(
            f"the health page cannot have {host}:{port} ({why}): choose another --health-port"
        ) from error


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
