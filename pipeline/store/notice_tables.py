"""The tables of who is told of alerts, and who is not: a part of ``tables.py``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Identity, MetaData, Table, Text, func


def notice_tables(metadata: MetaData) -> None:
    """Adds ``silence``, ``notification`` and ``heartbeat``."""
    Table(
        "silence",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("rule", "subject", "reason", "author")),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("ends_at", DateTime(timezone=True), nullable=False),
        comment="Alerts that nobody is to be notified of for a time, and why.",
    )
    Table(
        "notification",
        metadata,
        Column("alert_id", BigInteger, primary_key=True, autoincrement=False),
        Column("channel", Text, primary_key=True),
        Column("told_at", DateTime(timezone=True), nullable=False),
        Column("cleared_told_at", DateTime(timezone=True)),
        comment="Which alerts somebody was told of, and when, channel by channel.",
    )
    Table(
        "heartbeat",
        metadata,
        Column("process", Text, primary_key=True),
        Column("beat_at", DateTime(timezone=True), nullable=False),
        comment="When a process that watches over others last did so.",
    )
