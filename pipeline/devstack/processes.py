"""Processes as /proc tells of them: who one is beyond its pid, whether it lives, what memory it holds."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROC = Path("/proc")
_BOOT_ID = PROC / "sys/kernel/random/boot_id"
_STATE, _PARENT, _START = 0, 1, 19  # fields of /proc/PID/stat after the name, see proc_pid_stat(5)


@dataclass(frozen=True)
class Identity:
    """A process beyond its pid, which the kernel gives again: also its start, in clock ticks since which boot."""

    pid: int
    start_ticks: int
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> Self:
        """Raises ProcessLookupError when there is no such process (any more)."""
        fields = _stat(pid)
        if fields is None:
            raise ProcessLookupError(pid)
        return cls(pid, int(fields[_START]), _BOOT_ID.read_text().strip())

    def is_alive(self) -> bool:
        """Whether this very process runs; one that only waits to be reaped does not."""
        fields = _stat(self.pid)
        return (
            fields is not None
            and int(fields[_START]) == self.start_ticks
            and _BOOT_ID.read_text().strip() == self.boot_id
            and (fields[_STATE] not in "ZX" or _has_threads(self.pid))
        )

    def kill(self) -> None:
        """SIGKILL, unless the pid is somebody else's by now."""
        if self.is_alive():
            os.kill(self.pid, signal.SIGKILL)


def family(pid: int) -> list[Identity]:
    """The process and its descendants, itself first; empty when it is gone."""
    children = defaultdict(list)
    for entry in PROC.iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
            children[int(fields[_PARENT])].append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        current = todo.pop()
        todo += children[current]
        with suppress(ProcessLookupError):
            found.append(Identity.of(current))
    return found


def memory_bytes(pid: int) -> int:
    """What the process and its descendants hold, memory they share counted once; 0 when it is gone."""
    return sum(_proportional_kib(member.pid) * 1024 for member in family(pid))


def _proportional_kib(pid: int) -> int:
    try:
        rollup = (PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))


def _has_threads(pid: int) -> bool:
    """Whether a process that ended has threads that still end: until then it holds its files and ports."""
    try:
        return len(list((PROC / str(pid) / "task").iterdir())) > 1
    except OSError:
        return False


def _stat(pid: int) -> list[str] | None:
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    return stat.rpartition(") ")[2].split()
