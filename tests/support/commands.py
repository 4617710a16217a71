"""The installed command ``transferscope`` as processes: run to its end, or beside the test until told to end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.waiting import eventually

PROGRAM = Path(sys.executable).with_name("transferscope")
PREFIX = "TRANSFERSCOPE_"
END_WITHIN_S = 10
"""How long a process may take to end after SIGTERM."""
_RUN_LIMIT_S = 270
_TAIL = 3000


class Ended(NamedTuple):
    """Exit code and both outputs of a command."""

    code: int
    out: str
    err: str


class Commands:
    """Runs commands with the given settings and no others, all in one folder, the current one of theirs."""

    def __init__(self, settings: Mapping[str, str], folder: Path) -> None:
        """``folder`` gets the logs of ``start``; the current folder of the commands is a new one in it."""
        self.settings = dict(settings)
        self.current_folder = folder / "current"
        self.current_folder.mkdir()
        self.err = ""
        self._folder = folder
        self._started: list[Running] = []

    def __call__(self, *arguments: object, code: int = 0, settings: Mapping[str, str] | None = None) -> str:
        """What the command says on stdout; ``err`` is what it said on stderr. ``settings`` are more of them."""
        ended = self.run(*arguments, settings=settings)
        self.err = ended.err
        said = f"{ended.out[-_TAIL:]}\n{ended.err[-_TAIL:]}"
        assert ended.code == code, f"{arguments} ended with {ended.code} instead of {code}:\n{said}"
        return ended.out

    def run(self, *arguments: object, settings: Mapping[str, str] | None = None) -> Ended:
        """How the command ended, whatever it says. May be called from many threads."""
        done = subprocess.run(
            [PROGRAM, *map(str, arguments)],
            env=self._environment(settings),
            cwd=self.current_folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_RUN_LIMIT_S,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def json(self, *arguments: object, code: int = 0, settings: Mapping[str, str] | None = None) -> Any:
        """What the command says with ``--json``."""
        return json.loads(self(*arguments, "--json", code=code, settings=settings))

    @property
    def database_url(self) -> str:
        """Where the tables are."""
        return self.settings[f"{PREFIX}DATABASE_URL"]

    def start(self, *arguments: str, settings: Mapping[str, str] | None = None) -> Running:
        """Begin a command that stays up."""
        log = self._folder / f"{len(self._started)}-{arguments[0]}.log"
        running = Running(arguments, self._environment(settings), self.current_folder, log)
        self._started.append(running)
        return running

    def wait_idle(self, within_s: int = 90) -> Any:
        """What ``status`` says, once all messages are committed."""
        return self.json("status", "--wait-idle", within_s)

    def close(self) -> None:
        """Leave nothing running, whatever became of the test."""
        for running in self._started:
            running.kill()

    def _environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return inherited | self.settings | dict(more or {})


class Running:
    """A command that runs beside the test; all it says goes to a file."""

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path, log: Path) -> None:
        self._name = arguments[0]
        self._log = log
        self._told_at: float | None = None
        with log.open("wb") as said:
            self._process = subprocess.Popen(
                [PROGRAM, *arguments], env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )

    @property
    def name(self) -> str:
        """The command."""
        return self._name

    @property
    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    def said(self) -> str:
        """All it said so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def await_word(self, word: str, within_s: float = 30, after: int = 0) -> None:
        """Returns when it has said the word, behind its first ``after`` characters."""

        def has_said() -> bool:
            assert self._process.poll() is None, f"{self._name} ended with {self._process.returncode}: {self._tail()}"
            return word in self.said()[after:]

        has_said.__name__ = f"{self._name} says {word!r}"
        eventually(has_said, within_s)

    def health(self) -> Any:
        """What a worker's health page says."""
        self.await_word("health page at ")
        address = self.said().partition("health page at ")[2].split()[0]
        with urllib.request.urlopen(address, timeout=10) as page:
            return json.load(page)

    def pause(self) -> None:
        """SIGSTOP: it does nothing more, and nobody is told."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After ``pause``."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, if it is still there."""
        self._process.kill()
        self._process.wait()

    def await_end(self, within_s: float) -> int:
        """The exit code with which it ends by itself."""
        return self._process.wait(within_s)

    def tell_to_end(self) -> None:
        """SIGTERM, and no waiting."""
        self._told_at = time.monotonic()
        self._process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """SIGTERM, if it was not told to end: that must end it in order and in time."""
        if self._told_at is None:
            self.tell_to_end()
        told_at = self._told_at or 0.0
        try:
            code = self._process.wait(max(0.0, told_at + END_WITHIN_S - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self._name} runs {END_WITHIN_S} s after SIGTERM: {self._tail()}") from None
        assert code == 0, f"{self._name} ended with {code}: {self._tail()}"

    def _tail(self) -> str:
        return self.said()[-_TAIL:]
