"""What the image leaves out of packages is missed by nobody: commands and pages run as if it were not installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.left_out import MODULES, PATHS


def test_it_is_of_packages_that_are_installed() -> None:
    assert "pygments" in MODULES
    for path in PATHS:
        top = importlib.util.find_spec(path.partition("/")[0])
        assert top is not None
        assert top.origin is not None
        assert (Path(top.origin).parents[1] / path).is_dir(), path


@pytest.mark.stack
def test_commands_and_pages_do_without_it(postgres_url: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.left_out", str(tmp_path)],
        env=os.environ | {postgres.VARIABLE: postgres_url},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
