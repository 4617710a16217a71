"""Small views for those who choose and count: names that occur, starts in flight and dead letters by the window."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"

_SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.execute((_SQL / "0013_names.sql").read_text(encoding="utf-8").replace(":", r"\:"))


def downgrade() -> None:
    op.execute("DROP VIEW report.party, report.place, report.in_flight_10m, report.dead_letter_10m")
