"""Queue reports, their samples, and the windows of these."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"

_SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.execute((_SQL / "0006_queues.sql").read_text(encoding="utf-8").replace(":", r"\:"))


def downgrade() -> None:
    op.execute("DROP VIEW report.queue_10m, report.queue_sample; DROP TABLE store.queue_sample, store.queue_message")
