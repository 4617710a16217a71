"""The tables of what was heard of each source, and of what waits to be heard: a part of ``tables.py``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Double, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY


def heard_tables(metadata: MetaData) -> None:
    """Adds ``source_10m``, ``freshness`` and ``backlog``."""
    Table(
        "source_10m",
        metadata,
        Column("window_start", DateTime(timezone=True), primary_key=True),
        Column("source", Text, primary_key=True),
        *(Column(name, BigInteger, nullable=False) for name in ("received", "stored", "duplicate", "dead")),
        Column("lateness", ARRAY(BigInteger), nullable=False),
        Column("lateness_max_s", BigInteger),
        comment="What was heard of each source, by receipt time.",
    )
    Table(
        "freshness",
        metadata,
        Column("source", Text, primary_key=True),
        Column("last_event_at", DateTime(timezone=True)),
        Column("last_received_at", DateTime(timezone=True)),
        Column("last_committed_at", DateTime(timezone=True), nullable=False),
        comment="The newest that was heard of each source.",
    )
    Table(
        "backlog",
        metadata,
        Column("sampled_at", DateTime(timezone=True), primary_key=True),
        *(Column(name, Text, primary_key=True) for name in ("kind", "broker", "name")),
        Column("depth", BigInteger),
        Column("oldest_s", Double),
        *(Column(name, BigInteger) for name in ("consumers", "expired", "dead", "enqueued", "dequeued")),
        *(Column(name, Double) for name in ("enqueue_rate", "dequeue_rate")),
        comment="What waited in each queue of a broker and for each consumer group of Kafka, as it was sampled.",
    )
