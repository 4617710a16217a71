"""Runs migrations on the engine that the caller hands over; one migrator at a time."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from pipeline.store.tables import metadata

_MIGRATION_LOCK = 0x7473_6D67

with context.config.attributes["engine"].connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema="public",
        include_schemas=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        context.run_migrations()
    connection.commit()
