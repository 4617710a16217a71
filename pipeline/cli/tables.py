"""What processes need of the database before they begin."""

from __future__ import annotations

from pipeline.cli.errors import ConfigurationError
from pipeline.store import migrations


def need_tables(database_url: str) -> None:
    """Raises ConfigurationError unless the tables are those of this program; Unavailable."""
    version, needed = migrations.current(database_url), migrations.head()
    if version != needed:
        found = "no tables" if version is None else f"tables of version {version}"
        raise ConfigurationError(f"the database has {found}, this program needs {needed}: run transferscope init")
