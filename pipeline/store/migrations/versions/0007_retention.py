"""Dead letters that grow old lose what may name persons."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"

_SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.execute((_SQL / "0007_retention.sql").read_text(encoding="utf-8").replace(":", r"\:"))


def downgrade() -> None:
    op.execute((_SQL / "0007_down.sql").read_text(encoding="utf-8").replace(":", r"\:"))
