"""The outbox, alerts, and what tells a transfer from all others."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"

_SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    _run("0008_outbox_and_alerts.sql")


def downgrade() -> None:
    _run("0008_down.sql")


def _run(name: str) -> None:
    op.execute((_SQL / name).read_text(encoding="utf-8").replace(":", r"\:"))
