"""What a figure was measured on: printed beside every benchmark, because a rate without its machine says nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_LIBRARIES = ("msgspec", "stomp.py", "confluent-kafka", "aiokafka", "psycopg2-binary", "faust-streaming")


def machine() -> dict[str, Any]:
    """Processor, cores this process may use, memory in GiB, load over the last minute, Python, library versions."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_1m": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
    }


def line(facts: dict[str, Any]) -> str:
    """``machine`` as one line for people."""
    return (
        f"{facts['cores']} cores of {facts['processor']}, {facts['memory_gib']} GiB, load {facts['load_1m']}, "
        f"Python {facts['python']}"
    )


def _processor() -> str:
    try:
        for text in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if text.startswith("model name"):
                return text.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
