"""The base tables of what is told to others: a part of ``tables.py``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Double, Identity, Index, MetaData, Table, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY


def outbox_tables(metadata: MetaData) -> None:
    """Adds ``outbox`` and ``alert``."""
    Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("topic", Text, nullable=False),
        Column("ended_at", ARRAY(DateTime(timezone=True)), nullable=False),
        Column(
            "keys",
            ARRAY(BigInteger),
            nullable=False,
            comment="transfers: dedupe, beside the ended_at of the same place;"
            " dead-letters and alerts: id, and ended_at is empty.",
        ),
        Column("written_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        comment="Rows that are still to be published in Kafka, as their keys: one line a batch and topic.",
    )
    Table(
        "alert",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("rule", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("raised_at", DateTime(timezone=True), nullable=False),
        Column("cleared_at", DateTime(timezone=True)),
        Column("value", Double, nullable=False),
        Column("threshold", Double, nullable=False),
        Column("detail", Text, nullable=False),
        Index("alert_open", "rule", "subject", unique=True, postgresql_where=text("cleared_at IS NULL")),
        comment="What rules found wrong, from when to when; open while cleared_at is NULL.",
    )
