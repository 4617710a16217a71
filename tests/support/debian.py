"""Programs of the system's own packages: found, or installed where that is allowed."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path


class Missing(Exception):
    """There is no such program; says why."""


def program(names: Sequence[str], packages: Sequence[str]) -> Path:
    """The first of these programs that is on the path, installed by apt-get when root may do so; raises Missing."""
    found = _found(names)
    if found is None:
        with (Path(tempfile.gettempdir()) / "transferscope-packages.lock").open("w") as one_at_a_time:
            fcntl.flock(one_at_a_time, fcntl.LOCK_EX)  # apt-get gives up when another process of these tests installs
            found = _found(names)
            if found is None:
                _install(names[0], packages)
                found = _found(names)
    if found is None:
        raise Missing(f"none of {', '.join(names)} is on the path, not even after the installation")
    return found


def _found(names: Sequence[str]) -> Path | None:
    return next((Path(path) for path in map(shutil.which, names) if path), None)


def _install(name: str, packages: Sequence[str]) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Missing(f"no {name} on the path; install it (Debian: apt-get install {' '.join(packages)})")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        ended = subprocess.run(["apt-get", "-qq", *command], env=quiet, capture_output=True, text=True, timeout=600)
        if ended.returncode:
            raise Missing(f"apt-get {command[0]} failed: {ended.stderr.strip().splitlines()[-1:]}")
