"""The tables of what is final: a part of ``tables.py``."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, MetaData, Table, Text, text


def final_tables(metadata: MetaData) -> None:
    """Adds ``progress``, ``final_pass`` and ``final_state``."""
    Table(
        "progress",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True, autoincrement=False),
        Column("origin", Text, primary_key=True),
        Column("received_at", DateTime(timezone=True), nullable=False),
        comment="The newest receipt time that is committed of each broker in each partition of Kafka.",
    )
    Table(
        "final_pass",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("window_end", DateTime(timezone=True), primary_key=True),
        Column("first_at", DateTime(timezone=True)),
        Column("last_at", DateTime(timezone=True)),
        Column("changed", Boolean, nullable=False, server_default=text("true")),
        Index("final_pass_changed", "topic", "window_end", postgresql_where=text("changed")),
        comment="When windows with this end were declared final, first and last; changed: some have changed since.",
    )
    Table(
        "final_state",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("final_until", DateTime(timezone=True)),
        Column("held_by", Text, nullable=False),
        Column("looked_at", DateTime(timezone=True), nullable=False),
        comment="Up to which end the windows of each topic are final, and what keeps the next ones.",
    )
