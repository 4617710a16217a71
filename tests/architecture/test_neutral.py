"""Committed files name no package registry and no folder of the machine that they were written on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = (
    "requirements.lock",
    "pipeline/devstack/jars.lock",
    *(str(lock.relative_to(ROOT)) for lock in sorted((ROOT / "tests/bench/peers").glob("*/*.lock"))),
)
# Registries and their mirrors are recognised by the first label of the host, so that none is named here either.
REGISTRY = re.compile(
    rb"https?://(?:[\w-]+@)?(?:repo\d*|registry|index|files|simple|pypi|npm|crates|proxy|deb|security|maven|central)\."
)
INDEX_OPTION = re.compile(rb"^\s*--(?:extra-)?index-url|^\s*--find-links|^\s*--trusted-host", re.MULTILINE)
# Where this checkout stands, where its user's files do, and a customary folder of checkouts on other machines.
FOLDERS = "|".join(re.escape(str(folder)) for folder in (ROOT, Path.home(), Path("/work")))
MACHINE = re.compile(rf"(?<![\w.~/-])(?:{FOLDERS})/\w".encode())


def committed() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in names.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("path", committed(), ids=str)
def test_a_committed_file_is_neutral(path: Path) -> None:
    content = (ROOT / path).read_bytes()
    assert not REGISTRY.search(content)
    assert not INDEX_OPTION.search(content)
    assert not MACHINE.search(content)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_names_and_sums_but_no_address(lock: str) -> None:
    content = (ROOT / lock).read_text()
    assert "sha256:" in content
    assert "://" not in content
