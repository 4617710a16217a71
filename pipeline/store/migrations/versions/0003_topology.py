"""Age of the topology, copies of what it is made of, and how transfers were mapped."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

_SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.execute((_SQL / f"{revision}_topology.sql").read_text(encoding="utf-8").replace(":", r"\:"))


def downgrade() -> None:
    op.execute("DROP VIEW report.mapping_10m, report.topology; DROP TABLE store.topology_copy")
    op.execute("ALTER TABLE store.topology DROP COLUMN confirmed_at")
