"""What alerts need beside themselves: counts of samples, silences, what was told to whom, a sign of life."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"

_SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    _run("0015_alerting.sql")


def downgrade() -> None:
    _run("0015_down.sql")


def _run(name: str) -> None:
    op.execute((_SQL / name).read_text(encoding="utf-8").replace(":", r"\:"))
