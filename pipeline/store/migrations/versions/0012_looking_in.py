"""Names for kinds of failure that hold in every store, hosts as transfers name them, and what waits."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"

_SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    _run("0012_looking_in.sql")


def downgrade() -> None:
    _run("0012_down.sql")


def _run(name: str) -> None:
    op.execute((_SQL / name).read_text(encoding="utf-8").replace(":", r"\:"))
