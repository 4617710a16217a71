"""``silences``: which alerts nobody is to be told of for a time, and by which rules alerts are raised."""

from __future__ import annotations

import getpass
from contextlib import closing
from datetime import UTC, datetime, timedelta

import click

from pipeline.cli.audited import actor
from pipeline.cli.errors import CommandError
from pipeline.cli.options import json_option, with_settings
from pipeline.cli.output import write
from pipeline.cli.settings import Settings
from pipeline.cli.watching import limits
from pipeline.stages.alert_rules import RULES
from pipeline.store import silences as store
from pipeline.store.queries.columns import Column
from pipeline.store.session import connect

_LONGEST_HOURS = store.LONGEST / timedelta(hours=1)


@click.group()
def silences() -> None:
    """Keep alerts from being told for a time: they are raised and shown all the same.

    \b
    Examples:
      transferscope silences add --rule backlog --hours 2 --reason "broker upgrade"
      transferscope silences list
      transferscope silences end 3
      transferscope silences rules
    """


@silences.command()
@click.option("--rule", default="*", show_default=True, help="Name of the rule; * for any letters.")
@click.option("--subject", default="*", show_default=True, help="What the alert is about; * for any letters.")
@click.option("--hours", type=click.FloatRange(0, _LONGEST_HOURS, min_open=True), required=True, help="For how long.")
@click.option("--reason", required=True, help="Why, for the others.")
@click.option("--author", default=getpass.getuser, show_default="you", help="Who says so.")
@with_settings
def add(settings: Settings, /, rule: str, subject: str, hours: float, reason: str, author: str) -> None:
    """Silence alerts that are open and those that come. Prints the number of the silence.

    \b
    Example: transferscope silences add --subject "queue * on mq1*" --hours 4 --reason "mq1 is down until noon"
    """
    if not reason.strip():
        raise click.UsageError("a silence needs a reason: the next one on duty reads it")
    ends_at = datetime.now(UTC) + timedelta(hours=hours)
    with closing(connect(settings.need("database_url"))) as connection:
        print(store.add(connection, actor(), rule, subject, reason.strip(), author, ends_at).id)


@silences.command("list")
@click.option("--all", "over", is_flag=True, help="Also those that are over.")
@json_option
@with_settings
def list_(settings: Settings, /, over: bool, as_json: bool) -> None:
    """List silences that hold.

    \b
    Example: transferscope silences list --all --json
    """
    columns = [Column("id", "count"), *(Column(name, "text") for name in ("rule", "subject", "reason", "author"))]
    columns += [Column("created_at", "time"), Column("ends_at", "time")]
    with closing(connect(settings.need("database_url"))) as connection:
        write("json" if as_json else "table", columns, store.silences(connection, over))


@silences.command()
@click.argument("id", type=click.IntRange(1))
@with_settings
def end(settings: Settings, /, id: int) -> None:
    """End a silence now. Exit code 1 when there is none of that number, or it is over.

    \b
    Example: transferscope silences end 3
    """
    with closing(connect(settings.need("database_url"))) as connection:
        if not store.end(connection, actor(), id):
            raise CommandError(f"no silence {id} holds: transferscope silences list shows those that do")


@silences.command()
@json_option
@with_settings
def rules(settings: Settings, /, as_json: bool) -> None:
    """List the rules by which alerts are raised, with the limits in force.

    \b
    Example: transferscope silences rules
    """
    columns = [Column(name, "text") for name in ("rule", "severity", "unit", "says")]
    in_force = limits(settings)
    rows = ([rule.name, rule.severity, rule.unit, rule.sentence(in_force)] for rule in RULES)
    write("json" if as_json else "table", columns, rows)
