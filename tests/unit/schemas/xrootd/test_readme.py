"""The tables of schemas/xrootd/README.md name what is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas import topics
from schemas.xrootd import cache, collector, eos, file_close, tpc
from schemas.xrootd.file_close import FileClose

FOLDER = Path(file_close.__file__).parent
README = (FOLDER / "README.md").read_text(encoding="utf-8")

READ: dict[str, set[str]] = {
    "## Fields of the file-close record": set(FileClose.__struct_fields__) - {"data"},
    "## Fields of collectors' records": set(collector._Record.__struct_fields__) - {"data"},
    "## Fields of the cache's g-stream": set(cache._Detached.__struct_fields__) - {"data"},
    "## Fields of the third-party-copy g-stream": {*tpc._Copy.__struct_fields__, *tpc._Times.__struct_fields__}
    - {"data"},
    "## Fields of EOS reports": set(eos.NAMES),
}


def first_cells(heading: str) -> list[str]:
    section = README.split(f"{heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [line.split("|")[1] for line in lines]


@pytest.mark.parametrize("heading", READ)
def test_a_table_names_every_field_that_is_read_and_no_other(heading: str) -> None:
    named = [name for cell in first_cells(heading) for name in re.findall(r"`([^`]+)`", cell)]
    assert sorted(named) == sorted(READ[heading])


def test_every_module_that_parses_stands_with_its_kind() -> None:
    rows = re.findall(r"^\| `(\w+\.py)` \| `(xrootd\.[\w-]+)` \|", README, re.MULTILINE)
    assert {kind for _, kind in rows} == {kind for kind in topics.KINDS if kind.startswith("xrootd.")}
    modules = {path.name for path in FOLDER.glob("*.py")} - {"__init__.py", "access.py", "file_close.py"}
    assert {module for module, _ in rows} == modules
