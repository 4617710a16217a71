"""Which programs may work with the tables of a database. Programs and tables have the same versions: those of the
migrations. A program needs tables of its own version or of a newer one that says that older programs work on with it.
"""

from __future__ import annotations

from contextlib import closing
from typing import NamedTuple

from pipeline.store import versions
from pipeline.store.session import Cursor, connect

_OLDEST = "oldest_program"


class Superseded(Exception):
    """The tables were changed in a way that this program cannot work with."""

    def __init__(self, program: str, oldest: str) -> None:
        super().__init__(
            f"the tables need a program of version {oldest} or newer, this one is {program}:"
            " start the release that they were migrated for"
        )


class Fit(NamedTuple):
    """The version of a database beside that of this program. ``oldest_program`` is known of newer databases alone."""

    version: str | None
    program: str
    oldest_program: str | None = None

    @property
    def is_newer(self) -> bool:
        """Whether a newer release than this one has migrated the database."""
        return self.version is not None and self.version > self.program

    @property
    def problem(self) -> str | None:
        """Why this program cannot work with it and what to do, as a sentence; None when it can."""
        if self.version is None:
            return f"the database has no tables, this program needs {self.program}: run transferscope init"
        if self.version < self.program:
            found = f"the database has tables of version {self.version}, this program needs {self.program}"
            return f"{found}: run transferscope init"
        if self.is_newer and (self.oldest_program is None or self.oldest_program > self.program):
            return str(Superseded(self.program, self.oldest_program or str(self.version)))
        return None


def fit(database_url: str) -> Fit:
    """How the database and this program fit. Raises Unavailable."""
    found = Fit(versions.current(database_url), versions.head())
    if not found.is_newer:
        return found
    with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
        return found._replace(oldest_program=_oldest(cursor))


def admit(cursor: Cursor) -> None:
    """Raises Superseded when the tables have become too new for this program. Nobody changes that while the caller
    shares the topology (``locks.py``)."""
    oldest, program = _oldest(cursor), versions.head()
    if oldest is not None and oldest > program:
        raise Superseded(program, oldest)


def set_oldest(cursor: Cursor, version: str) -> None:
    """Keep that programs of this version and newer ones may work with the tables, and no others."""
    cursor.execute(
        "INSERT INTO store.setting (name, value) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_OLDEST, version),
    )


def _oldest(cursor: Cursor) -> str | None:
    cursor.execute("SELECT value FROM store.setting WHERE name = %s", (_OLDEST,))
    row = cursor.fetchone()
    return None if row is None else str(row[0])
