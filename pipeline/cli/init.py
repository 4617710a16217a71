"""``init``: makes what the processes need, and can be repeated at any time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

import click

from pipeline.cli.errors import ConfigurationError
from pipeline.cli.kafka import kafka_access
from pipeline.cli.options import json_option, with_settings
from pipeline.cli.output import write_json
from pipeline.cli.settings import Settings
from pipeline.cli.terminal import safe
from pipeline.cli.topology_load import Order, load_and_warn, sentence
from pipeline.store import migrations, programs, roles
from pipeline.store import settings as stored
from pipeline.store.session import connect


class Step(NamedTuple):
    """Something that is now there: what, whether it was made just now, and a sentence."""

    what: str
    is_new: bool
    detail: str


@click.command()
@json_option
@with_settings
def init(settings: Settings, /, as_json: bool) -> None:
    """Make the database tables, views and roles, load the configured topology, and make the Kafka topics.

    What is there already is left as it is, so it can be repeated, and is after each upgrade. Kafka is left out when
    kafka_bootstrap is not set: replay, query and verify need only PostgreSQL.

    \b
    Example: transferscope init
    """
    done = []
    for step in _steps(settings):
        done.append(step)
        if not as_json:
            print(f"{step.what}: {safe(step.detail)}", flush=True)
    if as_json:
        write_json([step._asdict() for step in done])


def _steps(settings: Settings) -> Iterator[Step]:
    url = settings.need("database_url")
    found = programs.fit(url)
    if found.is_newer:
        yield _newer(found)
    else:
        yield _database(url, found)
        yield from _roles(url)
    with closing(connect(url)) as connection, connection, connection.cursor() as cursor:
        stored.set_lost_after(cursor, settings.lost_after_hours)
    yield Step("settings", False, f"a start without a complete is lost after {settings.lost_after_hours} h")
    if settings.topology is not None:
        loaded = load_and_warn(url, Order(settings.topology))
        yield Step("topology", loaded.is_new, sentence(loaded))
    if settings.kafka_bootstrap is None:
        yield Step("kafka", False, "left out, kafka_bootstrap is not set")
    else:
        yield from _kafka(settings)


def _database(url: str, found: programs.Fit) -> Step:
    if found.version == found.program:
        return Step("database", False, f"version {found.version}, as it was")
    migrations.upgrade(url)
    before = "empty before" if found.version is None else f"{found.version} before"
    return Step("database", True, f"version {found.program}, {before}")


def _newer(found: programs.Fit) -> Step:
    """A newer release has migrated the database, and set the rights that its own programs need."""
    if found.problem is not None:
        raise ConfigurationError(found.problem)
    usable = f"version {found.version} of a newer release, which a program of {found.program} works with"
    return Step("database", False, f"{usable}: left as it is, with its roles")


def _roles(url: str) -> Iterator[Step]:
    made = roles.ensure(url)
    for role, meant_for in roles.HOLDERS:
        yield Step("role", role in made, f"GRANT {role} TO the login of {meant_for}")


def _kafka(settings: Settings) -> Iterator[Step]:
    from consumers.kafka.admin import ensure_topics

    report = ensure_topics(kafka_access(settings), settings.partitions)
    for name in report.created:
        yield Step("kafka", True, f"topic {name}, {settings.partitions} partitions")
    for drift in report.drift:
        found = f"{drift.name} is {drift.found} and would be made as {drift.wanted}"
        yield Step("kafka", False, f"topic {drift.topic}: {found}; left as it is")
    if not report.created and not report.drift:
        yield Step("kafka", False, "all topics, as they were")
