"""``tokens``: who may ask the HTTP API for more than sums."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta

import click

from pipeline.cli.audited import actor
from pipeline.cli.errors import CommandError, ConfigurationError
from pipeline.cli.options import json_option, with_settings
from pipeline.cli.output import say, write, write_json
from pipeline.cli.settings import Settings
from pipeline.store import audit
from pipeline.store import tokens as stored
from pipeline.store.audit import Action
from pipeline.store.queries.columns import Column
from pipeline.store.session import connect
from pipeline.units import moment

MOST_DAYS = 366
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")
_COLUMNS = (
    *(Column(name, "text") for name in ("name", "role", "vos", "state")),
    *(Column(f"{what}_at", "time") for what in ("created", "expires", "last_used", "revoked")),
)


@click.group()
def tokens() -> None:
    """Tokens of the HTTP API: add one, list them, revoke one.

    Readers see single transfers, operators also dead letters and messages as they came, administrators may do all.
    A running web knows of a change within five seconds. Needs the login that owns the tables.

    \b
    Examples:
      transferscope tokens add grafana --role reader --days 90 --vo atlas
      transferscope tokens list
      transferscope tokens revoke grafana
    """


@tokens.command()
@click.argument("name")
@click.option("--role", type=click.Choice(stored.ROLES), default="reader", show_default=True, help="What it allows.")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=90, show_default=True, help="How long it holds.")
@click.option("--vo", "vos", multiple=True, metavar="VO", help="Single transfers of this VO alone; may be repeated.")
@json_option
@with_settings
def add(settings: Settings, /, name: str, role: str, days: int, vos: tuple[str, ...], as_json: bool) -> None:
    """Make a token and show it, this once: only its hash is kept.

    \b
    Example: transferscope tokens add grafana --role reader --days 90
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} is no name for a token: take at most 63 letters, digits and . _ @ -")
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    of = sorted(set(vos)) or None
    limits = f"{role}, {', '.join(of or ['all VOs'])}, until {moment(expires_at)}"
    with closing(connect(settings.need("database_url"))) as connection:
        try:
            with connection, connection.cursor() as cursor:
                secret = stored.add(cursor, name, role, of, expires_at)
                audit.add(cursor, Action(actor(), "add token", f"{name}: {limits}"), audit.DONE)
        except stored.NameTaken as error:
            raise CommandError(f"there is a token {name} already: revoke it, or take another name") from error
    if as_json:
        write_json({"name": name, "role": role, "vos": of, "expires": expires_at, "token": secret})
        return
    say(f"{name}: {limits}; it is shown this once:")
    print(secret)


@tokens.command("list")
@json_option
@with_settings
def list_(settings: Settings, /, as_json: bool) -> None:
    """List all tokens there ever were, without the tokens themselves.

    \b
    Example: transferscope tokens list --json
    """
    with closing(connect(settings.need("database_url"))) as connection, connection, connection.cursor() as cursor:
        found = stored.listed(cursor)
    now = datetime.now(UTC)
    rows = [
        (
            *(each.name, each.role, ", ".join(each.vos) if each.vos else "all", _state(each, now)),
            *(each.created_at, each.expires_at, each.last_used_at, each.revoked_at),
        )
        for each in found
    ]
    write("json" if as_json else "table", _COLUMNS, rows)


@tokens.command()
@click.argument("name")
@with_settings
def revoke(settings: Settings, /, name: str) -> None:
    """End a token; every web stops taking it within five seconds.

    \b
    Example: transferscope tokens revoke grafana
    """
    with closing(connect(settings.need("database_url"))) as connection, connection, connection.cursor() as cursor:
        is_ended = stored.revoke(cursor, name)
        result = audit.DONE if is_ended else "failed: there is none that holds"
        audit.add(cursor, Action(actor(), "revoke token", name), result)
    if not is_ended:
        raise CommandError(f"there is no token {name} that still holds: transferscope tokens list shows all")
    say(f"{name} is revoked")


def _state(token: stored.Token, now: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at <= now else "holds"
