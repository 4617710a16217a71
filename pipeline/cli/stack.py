"""``stack``: PostgreSQL, Kafka and ActiveMQ on this machine, for trying out and for tests."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import click

from pipeline.cli.errors import ANSWER_IS_NO, DONE
from pipeline.cli.options import json_option, with_settings
from pipeline.cli.output import say, write, write_json
from pipeline.cli.progress import Progress
from pipeline.cli.settings import REGISTRY, Settings
from pipeline.cli.terminal import safe
from pipeline.devstack import state
from pipeline.devstack.control import NoSupervisor
from pipeline.devstack.folders import Folder, default_folder
from pipeline.devstack.logs import last_lines, new_lines
from pipeline.devstack.plan import SERVICES
from pipeline.devstack.processes import memory_bytes
from pipeline.devstack.stack import Stack, Watch, bring_down
from pipeline.devstack.state import ServiceState, StackState
from pipeline.store.queries.columns import Column

_COLUMNS = (
    Column("service", "text"),
    Column("state", "text"),
    Column("address", "text"),
    Column("pid", "text"),
    Column("memory", "bytes"),
    Column("ready after", "ms"),
    Column("detail", "text"),
)

dir_option = click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_folder,
    metavar="DIR",
    help="Folder of the stack: its data, logs and passwords. Each folder has a stack of its own.  [default: "
    "~/.local/state/transferscope/stack]",
)


@click.group()
def stack() -> None:
    """PostgreSQL, Kafka and ActiveMQ on this machine, as real processes on free ports.

    \b
    Example:
      transferscope stack up
      eval "$(transferscope stack env)"
      transferscope doctor
    """


@stack.command()
@dir_option
@json_option
@with_settings
def up(settings: Settings, /, directory: Path, as_json: bool) -> None:
    """Start it, or what is down in it. It stays until `stack down`.

    A service that the settings name (database_url, kafka_bootstrap, stomp_brokers) is taken from there instead.

    \b
    Example: transferscope stack up --dir /tmp/second
    """
    with Telling() as telling:
        running = Stack.up(directory, owned=False, adopt=named(settings), watch=telling.watch)
    _report(running, as_json)
    if not as_json:
        say('its settings for this shell: eval "$(transferscope stack env' + _dir_hint(directory) + ')"')


@stack.command()
@dir_option
@json_option
@with_settings
def down(settings: Settings, /, directory: Path, as_json: bool) -> None:
    """Stop it, and what a crash left of it. Data and ports stay for the next `stack up`.

    \b
    Example: transferscope stack down
    """
    was_there = bring_down(directory)
    if as_json:
        write_json({"folder": str(directory), "ended": was_there})
    else:
        say(f"the stack in {directory} is down" if was_there else f"no stack ran in {directory}")


@stack.command()
@dir_option
@json_option
@with_settings
def status(settings: Settings, /, directory: Path, as_json: bool) -> int:
    """Show each service as it answers now. Exit code 1 when one does not.

    \b
    Example: transferscope stack status --json
    """
    try:
        running = Stack.attach(directory)
    except NoSupervisor as error:
        left = " (one that ran there was killed: stack up or stack down cleans it)"
        say(str(error) + (left if Folder(directory).state.exists() else ""))
        if as_json:
            write_json({"folder": str(directory), "serving": False, "services": []})
        return ANSWER_IS_NO
    return DONE if _report(running, as_json) else ANSWER_IS_NO


@stack.command()
@click.argument("service", type=click.Choice([*SERVICES, "supervisor"]), required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option("-n", "--lines", type=click.IntRange(0), default=50, show_default=True, help="Lines of each log.")
@dir_option
@with_settings
def logs(settings: Settings, /, service: str | None, follow: bool, lines: int, directory: Path) -> None:
    """Show what a service, or all of them, wrote.

    \b
    Example: transferscope stack logs kafka --follow
    """
    folder = Folder(directory)
    shown = {name: folder.log(name) for name in ([service] if service else [*SERVICES, "supervisor"])}
    mark = "" if service else "{:<10} | "
    coming = new_lines(shown) if follow else ()
    for line in chain(last_lines(shown, lines), coming):
        print(mark.format(line.service) + safe(line.text, keep="\t"), flush=follow)


@stack.command()
@dir_option
@json_option
@with_settings
def env(settings: Settings, /, directory: Path, as_json: bool) -> None:
    """Print the settings that name its services, for a shell to evaluate.

    \b
    Example: eval "$(transferscope stack env)"
    """
    environment = Stack.attach(directory).env()
    if as_json:
        write_json(environment)
        return
    for variable, value in environment.items():
        print(f"export {variable}={shlex.quote(value)}")


def named(settings: Settings) -> dict[str, str]:
    """The settings that were set, as the environment would say them."""
    found = {}
    for setting in REGISTRY:
        value = getattr(settings, setting.name)
        if settings.origins.get(setting.name, "default") != "default" and value is not None:
            found[setting.variable] = ",".join(value) if isinstance(value, tuple) else str(value)
    return found


class Telling:
    """Tells of the start while it goes on: jars fetched with a bar, each service once it is up."""

    def __init__(self) -> None:
        self.watch = Watch(on_bytes=self._on_bytes, on_state=self._on_state)
        self._told: dict[str, str] = {}
        self._progress: Progress | None = None
        self._fetched_kb = 0

    def __enter__(self) -> Telling:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._progress is not None:
            self._progress.__exit__(None, None, None)
            self._progress = None

    def _on_bytes(self, done: int, total: int) -> None:
        if self._progress is None:
            say(f"fetching the jars of Kafka and ActiveMQ, {total // 1_000_000} MB, once")
            self._progress = Progress("jars", "kB", total // 1000).__enter__()
        self._progress.advance(done // 1000 - self._fetched_kb)
        self._fetched_kb = done // 1000

    def _on_state(self, now: StackState) -> None:
        self.__exit__()
        for service in now.services.values():
            if self._told.get(service.name) != service.state:
                self._told[service.name] = service.state
                say(_sentence(service))


def _sentence(service: ServiceState) -> str:
    if service.state == state.UP and service.ready_s is not None:
        return f"{service.name} is up at {service.address} after {service.ready_s:.1f} s"
    return f"{service.name} at {service.address}: {service.state} {service.detail}".rstrip()


def _report(running: Stack, as_json: bool) -> bool:
    """Prints how it is; whether all of it serves."""
    now = running.status()
    if as_json:
        write_json(_document(now, running.env()))
    else:
        write("table", _COLUMNS, [_row(service) for service in now.services.values()])
    return now.is_serving


def _row(service: ServiceState) -> list[Any]:
    ready_ms = None if service.ready_s is None else service.ready_s * 1000
    pid = str(service.process.pid) if service.process else None
    return [service.name, service.state, service.address, pid, _memory(service), ready_ms, service.detail or None]


def _memory(service: ServiceState) -> int | None:
    return memory_bytes(service.process.pid) if service.process else None


def _document(now: StackState, environment: Mapping[str, str]) -> dict[str, Any]:
    services = [
        {
            "name": service.name,
            "state": service.state,
            "address": service.address,
            "pid": service.process.pid if service.process else None,
            "memory_bytes": _memory(service),
            "ready_s": service.ready_s,
            "detail": service.detail,
        }
        for service in now.services.values()
    ]
    return {
        "folder": str(now.folder),
        "serving": now.is_serving,
        "supervisor_pid": now.supervisor.pid,
        "owner_pid": now.owner.pid if now.owner else None,
        "services": services,
        "environment": dict(environment),
    }


def _dir_hint(directory: Path) -> str:
    return "" if directory == default_folder() else f" --dir {shlex.quote(str(directory))}"
