"""Processes beside a command, most of them other transferscope commands: started, watched, ended; their words kept."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.cli.output import say

_STOP_LIMIT_S = 15
_LAST_LINES = 15


class Died(Exception):
    """A process that must stay up, or a step that must succeed, ended. What it said last was passed on."""


def program() -> list[str]:
    """How to call transferscope from here, whatever is first on the path."""
    return [sys.executable, "-P", "-c", "from pipeline.cli.main import main; main()"]


class Beside:
    """A process that runs beside us until we leave; then it gets SIGTERM and the time to end in order."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        """``name`` is what it is called in messages; all it says goes to the end of ``log``."""
        self._name = name
        self._log = log
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def end(self, within_s: float = _STOP_LIMIT_S) -> None:
        """SIGTERM, and SIGKILL if that does not end it in time."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(within_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def told(self, word: str, within_s: float = 30.0) -> str:
        """What follows the word in the first line that has it, once there is one. Raises Died when there is none."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
                if word in line:
                    return line.partition(word)[2]
            self.check()
            time.sleep(0.1)
        raise Died(f"{self._name} did not say {word!r} within {within_s:.0f} s: see {self._log}")

    def check(self) -> None:
        """Raises Died when it is no longer there."""
        code = self._process.poll()
        if code is not None:
            for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]:
                say(line)
            raise Died(f"{self._name} ended with code {code}: its last words stand above")


class Child(Beside):
    """A transferscope command beside us."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        super().__init__(f"transferscope {arguments[0]}", [*program(), *arguments], environment, log)


def run_to_end(arguments: Sequence[str], environment: Mapping[str, str], quiet: bool = False) -> None:
    """Run a command and wait for it; its answer goes to our stdout unless ``quiet``. Raises Died when it fails."""
    sys.stdout.flush()
    done = subprocess.run(
        [*program(), *arguments],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.PIPE if quiet else None,
        check=False,
        text=True,
        errors="replace",
    )
    if done.returncode:
        for line in f"{done.stdout or ''}{done.stderr or ''}".splitlines()[-_LAST_LINES:]:
            say(line)
        raise Died(f"transferscope {' '.join(arguments)} ended with code {done.returncode}: what it said stands above")
