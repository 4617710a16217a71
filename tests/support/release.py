"""Releases to come: the packages as they are, copied, with more migrations and with code of their own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import consumers
import pipeline
import schemas
from pipeline.store import versions

_STEP = '''"""A step of a release to come."""

from alembic import op

from pipeline.store.migrations.online import add_index

revision = "{version}"
down_revision = "{before}"

{text}
'''


def version(ahead: int) -> str:
    """The version that is so many steps ahead of this code."""
    return f"{int(versions.head()) + ahead:04d}"


def release(folder: Path, steps: Sequence[str], more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment in which commands are those of a release made in ``folder``, which is new.

    Each of ``steps`` is the text of a migration behind its version, the first ``version(1)``; ``add_index`` and ``op``
    are at hand. ``more`` is appended to modules, by their paths.
    """
    for package in (schemas, pipeline, consumers):
        found = Path(package.__path__[0])
        shutil.copytree(found, folder / found.name, ignore=shutil.ignore_patterns("__pycache__"))
    for number, text in enumerate(steps, start=1):
        step = _STEP.format(version=version(number), before=version(number - 1), text=text)
        (folder / "pipeline/store/migrations/versions" / f"{version(number)}_to_come.py").write_text(step)
    for path, text in (more or {}).items():
        with (folder / path).open("a") as module:
            module.write(text)
    return {"PYTHONPATH": str(folder)}


EXPAND = f"""
oldest_program = "{version(0)}"

def upgrade() -> None:
    op.execute("ALTER TABLE store.transfer ADD COLUMN colour text")
    op.execute("CREATE TABLE store.brush (id bigint GENERATED ALWAYS AS IDENTITY, strokes integer NOT NULL)")
"""
"""A column and a table more, which the release before does not mind."""
PAINTING = {
    "pipeline/store/rows.py": """
TRANSFER_COLUMNS += ", colour"
_older_row = transfer_row


def transfer_row(new, numbers, revision):
    return _older_row(new, numbers, revision) + "\\tblue"
""",
    "pipeline/store/writer.py": """
_older_write = write


def write(cursor, effects, numbers, revision):
    _older_write(cursor, effects, numbers, revision)
    cursor.execute("INSERT INTO store.brush (strokes) VALUES (%s)", (len(effects.completes),))
""",
    "pipeline/store/roles.py": """
WRITES = {**WRITES, "brush": _ADDED}
""",
}
"""A release that fills the column and the table: what the one before writes has no colour and no stroke."""
