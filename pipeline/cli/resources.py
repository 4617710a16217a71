"""What processes of this machine have used, as /proc tells it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")
_USER_TICKS, _SYSTEM_TICKS = 11, 12  # fields of /proc/PID/stat after the name, see proc_pid_stat(5)


class Resources(NamedTuple):
    """Processor seconds of all of them so far, and the most memory that one of them has held, in MB."""

    cpu_s: float
    highest_mb: float


def family(pid: int) -> list[int]:
    """A process and all that descend from it; none when it is no longer there."""
    try:
        tasks = [task.read_text().split() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    except FileNotFoundError:
        return []
    return [pid, *(each for children in tasks for child in children for each in family(int(child)))]


def used_by(pids: Iterable[int]) -> Resources:
    """Raises FileNotFoundError when one is no longer there."""
    cpu_s, highest_mb = 0.0, 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        cpu_s += (int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])) / _TICKS
        highest_mb = max(highest_mb, _status_mb(pid, "VmHWM:"))
    return Resources(cpu_s, highest_mb)


def resident_mb(pid: int) -> float:
    """The memory that a process holds now, in MB. Raises FileNotFoundError when it is no longer there."""
    return _status_mb(pid, "VmRSS:")


def open_files(pid: int) -> int:
    """How many files and sockets it has open. Raises FileNotFoundError when it is no longer there."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def _status_mb(pid: int, field: str) -> float:
    """0 when it does not tell: of a process that has ended and was not waited for."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(field)), 0.0)
