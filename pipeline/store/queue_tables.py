"""The base tables of queue reports: a part of ``tables.py``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Double, Integer, MetaData, Table, Text, text


def queue_tables(metadata: MetaData) -> None:
    """Adds ``queue_message`` and ``queue_sample``."""
    Table(
        "queue_message",
        metadata,
        Column("sampled_at", DateTime(timezone=True), primary_key=True),
        Column("dedupe", BigInteger, primary_key=True, autoincrement=False),
        postgresql_partition_by="RANGE (sampled_at)",
        comment="Every queue report (queue status or optimizer message) once, with samples or without.",
    )
    Table(
        "queue_sample",
        metadata,
        Column("window_start", DateTime(timezone=True), primary_key=True),
        Column("link_id", Integer, primary_key=True, autoincrement=False),
        Column("sampled_at", DateTime(timezone=True), primary_key=True),
        Column("active", BigInteger),
        Column("ready", BigInteger),
        Column("ratio", Double),
        Column("channel_type", Text, nullable=False, server_default=text("''")),
        postgresql_partition_by="RANGE (window_start)",
        comment="Every sample of a queue once; the window is that of sampled_at,"
        " so that a look at windows finds its days.",
    )
