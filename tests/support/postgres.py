"""A PostgreSQL for tests, and a migrated database of its own for each."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

from psycopg2 import sql

from pipeline.store import migrations
from pipeline.store.session import connect

VARIABLE = "TRANSFERSCOPE_DATABASE_URL"


def make_short_lived(server_url: str) -> None:
    """Let a server of the tests' own run without fsync and autovacuum: it outlives no crash, and needs not to.

    With fsync each DROP DATABASE waits for a checkpoint of several hundred files: seconds on a slow disk, in each test.
    Autovacuum comes when it likes and locks what a test wants to drop.
    """
    for setting in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"):
        _execute(server_url, sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
    _execute(server_url, sql.SQL("SELECT pg_reload_conf()"))


@contextmanager
def empty(server_url: str) -> Iterator[str]:
    """The address of a new, empty database on the server, dropped at the end."""
    with _database(server_url, None) as url:
        yield url


@contextmanager
def template(server_url: str) -> Iterator[str]:
    """The address of a new database with all migrations, to copy for each test."""
    with _database(server_url, None) as url:
        migrations.upgrade(url)
        yield url


@contextmanager
def copy_of(template_url: str) -> Iterator[str]:
    """The address of a new database that is a copy of another one, dropped at the end."""
    with _database(template_url, urlsplit(template_url).path.removeprefix("/")) as url:
        yield url


@contextmanager
def _database(server_url: str, original: str | None) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    maintenance = urlsplit(server_url)._replace(path="/postgres").geturl()
    copied = sql.SQL("TEMPLATE {}").format(sql.Identifier(original)) if original else sql.SQL("")
    _execute(maintenance, sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), copied))
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        _execute(maintenance, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(url: str, statement: sql.Composable) -> None:
    with closing(connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
