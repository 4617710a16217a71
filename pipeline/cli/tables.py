"""What processes need of the database before they begin."""

from __future__ import annotations

from pipeline.cli.errors import ConfigurationError
from pipeline.store import programs


def need_tables(database_url: str) -> None:
    """Raises ConfigurationError unless this program can work with the tables; Unavailable."""
    problem = programs.fit(database_url).problem
    if problem is not None:
        raise ConfigurationError(problem)
