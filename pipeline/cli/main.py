"""``transferscope``: finds the command, runs it, and turns what goes wrong into a sentence and an exit code.

A command's module is imported when the command is called, so ``--help`` is fast and a missing optional package
breaks only the command that needs it.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from pipeline.cli import errors
from pipeline.cli.outcomes import outcome
from pipeline.cli.terminal import safe

INTERRUPTED = 130
BROKEN_PIPE = 141

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("pipeline.cli.demo:demo", "the whole path on a local stack, checked against the simulator's truth"),
    "stack": ("pipeline.cli.stack:stack", "PostgreSQL, Kafka and ActiveMQ on this machine: up, down, status"),
    "bridge": ("pipeline.cli.bridge:bridge", "ActiveMQ's virtual queues to Kafka"),
    "worker": ("pipeline.cli.worker:worker", "Kafka to Postgres: dedupe, join, enrich, aggregate"),
    "alerts": ("pipeline.cli.alerts:alerts", "watches queues, links, sources: alerts by log, mail and Alertmanager"),
    "silences": ("pipeline.cli.silences:silences", "which alerts nobody is told of, until when and why; the rules"),
    "relay": ("pipeline.cli.relay:relay", "what the store has committed to Kafka: transfers, dead letters, alerts"),
    "init": ("pipeline.cli.init:init", "database tables, topology and Kafka topics, as far as they are missing"),
    "status": ("pipeline.cli.status:status", "queue depths, lag, freshness, dead letters; waits until idle"),
    "simulate": ("pipeline.cli.simulate:simulate", "traffic with known truth, to the broker or into a file"),
    "replay": ("pipeline.cli.replay:replay", "recorded messages into the store, Kafka or the brokers"),
    "query": (
        "pipeline.cli.query:query",
        "links, channels, endpoints, activities, VOs, errors, queues, states, transfers, dead letters, alerts …",
    ),
    "export": ("pipeline.cli.export:export", "windows of a range into a Parquet or CSV file"),
    "web": ("pipeline.cli.web:web", "HTTP API and pages"),
    "verify": ("pipeline.cli.verify:verify", "compare windows with the single transfers below them"),
    "recompute": ("pipeline.cli.recompute:recompute", "rebuild windows after a correction"),
    "dead-letters": ("pipeline.cli.dead_letters:dead_letters", "list them, show one, try them again"),
    "topology": ("pipeline.cli.topology:topology", "load sites, hosts and VO endpoints; show a host"),
    "tokens": ("pipeline.cli.tokens:tokens", "tokens of the HTTP API: add, list, revoke"),
    "doctor": (
        "pipeline.cli.doctor:doctor",
        "settings with their origin; services, clocks, TLS, rights, retention, disks",
    ),
    "bench": ("pipeline.cli.bench:bench", "measure this machine, with the goals beside the figures"),
}
"""Name of each command -> the module attribute that holds it, and what it does."""


class _ReaderLeft(Exception):
    """Whoever read our output closed it (``| head``): nothing more can be said there, not even at exit."""


class LazyGroup(click.Group):
    """A group that knows its commands' names and sentences without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # click would exit with 1, which is a command's answer "no".
            raise _ReaderLeft from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in errors.EXIT_CODES.items()) + ".",
)
@click.version_option(package_name="transferscope")
def cli() -> None:
    """Monitoring of data transfers across the WLCG: ActiveMQ to Kafka to Postgres windows."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The console script: runs the command that the arguments name and exits."""
    code = run(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _reader_left()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """The exit code of the command that the arguments name; what goes wrong is told on stderr, never raised."""
    try:
        result = cli.main(args=list(arguments), prog_name="transferscope", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return errors.CONFIGURATION
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted")
        return INTERRUPTED
    except _ReaderLeft:
        return _reader_left()
    except Exception as error:  # noqa: BLE001 - the outermost frame: every error becomes a sentence and a code
        return _told(error)
    return result if isinstance(result, int) else errors.DONE


def _told(error: Exception) -> int:
    meant = outcome(error)
    if meant is None:
        traceback.print_exception(error)
        _say(f"this is a bug ({type(error).__name__}): please report it with the lines above")
        return errors.BUG
    _say(meant.sentence)
    return meant.exit_code


def _say(sentence: str) -> None:
    click.echo(f"transferscope: {safe(sentence)}", err=True)


def _reader_left() -> int:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return BROKEN_PIPE
