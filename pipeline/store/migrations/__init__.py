"""Schema versions: each step goes up and down, and the SQL of a step never changes once it is released."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

from pipeline.store.session import Unavailable, engine, service_address

_HERE = Path(__file__).parent


def _config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.attributes["engine"] = engine(database_url)
    return config


def head() -> str:
    """The newest version that this code knows."""
    script = ScriptDirectory(str(_HERE)).get_current_head()
    assert script is not None
    return script


def current(database_url: str) -> str | None:
    """The version of a database, None before the first migration. Raises Unavailable."""
    try:
        with engine(database_url).connect() as connection:
            context = MigrationContext.configure(connection, opts={"version_table_schema": "public"})
            return context.get_current_revision()
    except OperationalError as error:
        raise Unavailable("PostgreSQL", service_address(database_url), str(error.orig).strip()) from error


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring a database up to a version; does nothing when it is there already. Raises Unavailable."""
    _run(lambda config: command.upgrade(config, revision), database_url)


def downgrade(database_url: str, revision: str) -> None:
    """Take a database down to a version (``base``: empty). What newer versions stored is lost. Raises Unavailable."""
    _run(lambda config: command.downgrade(config, revision), database_url)


def _run(step: Callable[[Config], None], database_url: str) -> None:
    try:
        step(_config(database_url))
    except OperationalError as error:
        raise Unavailable("PostgreSQL", service_address(database_url), str(error.orig).strip()) from error
