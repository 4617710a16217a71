"""Prometheus as Debian has it: ``prometheus`` and ``promtool``, found, or installed where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGE = "prometheus"


def program(name: str) -> Path:
    """The program; the test is skipped where it cannot be had, and fails there in CI."""
    if shutil.which(name) is None:
        why = _install()
        if why and os.environ.get("CI") == "true":
            pytest.fail(why)
        if why:
            pytest.skip(why)
    return Path(shutil.which(name) or name)


def _install() -> str:
    """Installs the package if root may; why not, else."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return f"no {PACKAGE} here; install it (Debian: apt-get install {PACKAGE})"
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", PACKAGE]):
        ended = subprocess.run(["apt-get", "-qq", *command], env=quiet, capture_output=True, text=True, timeout=600)
        if ended.returncode:
            return f"apt-get {command[0]} failed: {ended.stderr.strip().splitlines()[-1:]}"
    return ""
