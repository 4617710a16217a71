"""Logins of PostgreSQL that were granted one of the roles."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import quote, urlsplit

import psycopg2

from pipeline.store.session import connect
from tests.support.database import Database


class Login:
    """``url`` is the database as this login sees it."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self._connection = connect(url)

    def may(self, statement: str) -> bool:
        """Whether the rights suffice; what it does is undone."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
        except psycopg2.errors.InsufficientPrivilege:
            return False
        except psycopg2.errors.IntegrityError:
            return True
        finally:
            self._connection.rollback()
        return True

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


@contextmanager
def login_of(owner: Database, *roles: str) -> Iterator[Login]:
    """A login that has been granted these roles, dropped at the end."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    owner.ask(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'" + (f" IN ROLE {', '.join(roles)}" if roles else ""))
    parts = urlsplit(owner.url)
    place = parts.netloc.rpartition("@")[2]
    try:
        with closing(Login(name, parts._replace(netloc=f"{quote(name)}:secret@{place}").geturl())) as login:
            yield login
    finally:
        owner.ask(f"DROP ROLE {name}")
