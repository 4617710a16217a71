"""Debian's Chromium: found, or installed where that is allowed."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

NAMES = ("chromium", "chromium-headless-shell")
PACKAGES = ("chromium", "fonts-liberation")


class Missing(Exception):
    """There is no browser; says why."""


def chromium() -> Path:
    """The browser's program, installed from the system's own packages when root may do so; raises Missing."""
    found = _found()
    if found is None:
        with (Path(tempfile.gettempdir()) / "transferscope-chromium.lock").open("w") as one_at_a_time:
            fcntl.flock(one_at_a_time, fcntl.LOCK_EX)  # apt-get gives up when another process of these tests installs
            found = _found()
            if found is None:
                _install()
                found = _found()
    if found is None:
        raise Missing(f"none of {', '.join(NAMES)} is on the path, not even after the installation")
    return found


def _found() -> Path | None:
    return next((Path(path) for path in map(shutil.which, NAMES) if path), None)


def _install() -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Missing(f"no {NAMES[0]} on the path; install it (Debian: apt-get install {' '.join(PACKAGES)})")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        ended = subprocess.run(["apt-get", "-qq", *command], env=quiet, capture_output=True, text=True, timeout=600)
        if ended.returncode:
            raise Missing(f"apt-get {command[0]} failed: {ended.stderr.strip().splitlines()[-1:]}")
