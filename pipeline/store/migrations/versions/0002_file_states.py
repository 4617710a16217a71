"""FTS state messages: rows, windows, queue wait and staging time, and starts that a final state closes."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

_SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    for file in ("0002_tables.sql", "0002_views.sql"):
        op.execute((_SQL / file).read_text(encoding="utf-8").replace(":", r"\:"))


def downgrade() -> None:
    op.execute((_SQL / "0002_down.sql").read_text(encoding="utf-8").replace(":", r"\:"))
