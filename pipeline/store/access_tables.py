"""The base tables of who may do what, and who did: a part of ``tables.py``."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY


def access_tables(metadata: MetaData) -> None:
    """Adds ``token`` and ``audit``."""
    Table(
        "token",
        metadata,
        Column("id", Integer, Identity(always=True), primary_key=True),
        Column("digest", LargeBinary, nullable=False),
        Column("name", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("vos", ARRAY(Text), comment="VOs whose single transfers it shows; NULL: of all."),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("expires_at", DateTime(timezone=True), nullable=False),
        Column("revoked_at", DateTime(timezone=True)),
        Column("last_used_at", DateTime(timezone=True), comment="The beginning of the hour of its last use."),
        CheckConstraint("octet_length(digest) = 32"),
        CheckConstraint("role IN ('reader', 'operator', 'administrator')"),
        UniqueConstraint("digest"),
        Index("token_name", "name", unique=True, postgresql_where=text("revoked_at IS NULL")),
        comment="Tokens of the HTTP API, as their SHA-256.",
    )
    Table(
        "audit",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("operation", Text, nullable=False),
        Column("who", Text, nullable=False),
        Column("via", Text, nullable=False),
        Column("origin", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("result", Text, nullable=False),
        Column("login", Text, nullable=False, server_default=text("SESSION_USER")),
        Index("audit_at", "at"),
        comment="What operators did. Rows are added and, after 13 months, forgotten; nobody changes one.",
    )
