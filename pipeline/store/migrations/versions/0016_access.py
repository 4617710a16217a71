"""Tokens, the audit, and what writers may do to partitions although they own none."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"

_SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    _run("0016_access.sql")


def downgrade() -> None:
    _run("0016_down.sql")


def _run(name: str) -> None:
    op.execute((_SQL / name).read_text(encoding="utf-8").replace(":", r"\:"))
