"""Prometheus as Debian has it: ``prometheus`` and ``promtool``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import debian


def program(name: str) -> Path:
    """The program; the test is skipped where it cannot be had, and fails there in CI."""
    try:
        return debian.program((name,), ("prometheus",))
    except debian.Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
