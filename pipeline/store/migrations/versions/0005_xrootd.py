"""xrootd file accesses: direction, locality and a keyed hash of the user in ``report.transfer``."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"

_SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.execute((_SQL / f"{revision}_xrootd.sql").read_text(encoding="utf-8").replace(":", r"\:"))


def downgrade() -> None:
    op.execute((_SQL / f"{revision}_down.sql").read_text(encoding="utf-8").replace(":", r"\:"))
