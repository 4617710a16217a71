"""A file that needs more than 400 lines has more than one reason to change."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 400
FILES = sorted(
    path.relative_to(ROOT)
    for top in ("schemas", "pipeline", "consumers", "tests")
    for path in (ROOT / top).rglob("*.py")
)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_no_file_is_longer_than_the_limit(path: Path) -> None:
    lines = (ROOT / path).read_text().count("\n")
    assert lines <= LIMIT, f"{path} has {lines} lines: split it by reason to change"
