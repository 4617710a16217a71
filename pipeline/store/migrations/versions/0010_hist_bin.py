"""The bin of a value found faster."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"

_SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.execute((_SQL / "0010_hist_bin.sql").read_text(encoding="utf-8").replace(":", r"\:"))


def downgrade() -> None:
    """The function of before gives the same bins."""
