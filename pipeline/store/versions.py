"""The version of a database and of this program, without what applies them: every process asks at its start."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from pathlib import Path

from pipeline.store.session import AWAY, Unavailable, connect, service_address

_STEPS = Path(__file__).parent / "migrations" / "versions"


@cache
def head() -> str:
    """The newest version that this code knows: each step's file is named ``VERSION_what_it_does.py``."""
    return max(step.name.partition("_")[0] for step in _STEPS.glob("[0-9]*_*.py"))


def current(database_url: str) -> str | None:
    """The version of a database, None before the first step. Raises Unavailable."""
    try:
        with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('public.alembic_version') IS NOT NULL")
            if cursor.fetchone() == (False,):
                return None
            cursor.execute("SELECT version_num FROM public.alembic_version")
            row = cursor.fetchone()
            return None if row is None else str(row[0])
    except AWAY as error:
        raise Unavailable("PostgreSQL", service_address(database_url), str(error)) from error
