"""``doctor``: every setting with its origin, and one line for each thing that the pipeline needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from pipeline.cli.checking.check import Verdict
from pipeline.cli.checks import checks
from pipeline.cli.errors import ANSWER_IS_NO, UNREACHABLE
from pipeline.cli.options import json_option, with_settings
from pipeline.cli.output import write, write_json
from pipeline.cli.settings import BROKER_TABLES, REGISTRY, Settings
from pipeline.cli.terminal import safe
from pipeline.cli.values import without_password
from pipeline.store.queries.columns import Column


@click.command()
@json_option
@with_settings
def doctor(settings: Settings, /, as_json: bool) -> None:
    """Show settings with their origin, and check all that the processes need.

    Of each service: whether it answers and is of the right version, its clock, TLS and certificates, what our user may
    do, what is kept for how long, and the room on its disks. Each line says what to do. Nothing is changed, and
    passwords are never shown. Exit code 3 when something cannot be reached, 1 when something else is wrong; a warning
    changes no exit code.

    \b
    Example: transferscope doctor --config /etc/transferscope.toml
    """
    shown = list(_settings(settings))
    if not as_json:
        write("table", [Column(name, "text") for name in ("setting", "value", "origin")], shown)
        print()
    done = []
    for check in checks(settings):
        done.append(check)
        if not as_json:
            print(f"{check.verdict:<11}  {check.what}: {safe(check.detail)}", flush=True)
    if as_json:
        named = [{"name": name, "value": value, "origin": origin} for name, value, origin in shown]
        write_json({"settings": named, "checks": [check._asdict() for check in done]})
    verdicts = {check.verdict for check in done}
    if Verdict.UNREACHABLE in verdicts:
        raise click.exceptions.Exit(UNREACHABLE)
    if Verdict.WRONG in verdicts:
        raise click.exceptions.Exit(ANSWER_IS_NO)


def _settings(settings: Settings) -> Iterator[tuple[str, str | None, str]]:
    """Name, value as text and origin of each; the tables of brokers last."""
    for setting in REGISTRY:
        value = _text(getattr(settings, setting.name))
        yield setting.name, without_password(value) if value else None, settings.origins[setting.name]
    for number, table in enumerate(settings.broker, 1):
        for name, value in asdict(table).items():
            if value is not None:
                yield f"[[{BROKER_TABLES}]] {number} {name}", _text(value), settings.origins[BROKER_TABLES]


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return ", ".join(f"{name} = {text}" for name, text in value.items())
    return ", ".join(value) if isinstance(value, tuple) else str(value)
