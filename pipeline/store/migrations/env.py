"""Runs a migration on the engine that the caller hands over, and keeps which programs the tables are good for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection

from pipeline.store import locks, programs
from pipeline.store.migrations import oldest_program
from pipeline.store.session import Cursor
from pipeline.store.tables import metadata


def _keep_oldest_program(
    ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]
) -> None:
    for version in heads:  # one, or none when all tables are gone
        assert ctx.connection is not None
        with _cursor(ctx.connection) as cursor:
            programs.set_oldest(cursor, oldest_program(version))


def _cursor(connection: Connection) -> Cursor:
    return cast(Cursor, connection.connection.cursor())


with context.config.attributes["engine"].connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema="public",
        include_schemas=True,
        transactional_ddl=True,
        on_version_apply=_keep_oldest_program,
    )
    with context.begin_transaction():
        if context.config.attributes["is_alone"]:
            with _cursor(connection) as cursor:
                locks.own_topology(cursor)
        context.run_migrations()
    connection.commit()
