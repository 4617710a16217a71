"""The installed command ``transferscope`` on a pseudo-terminal: it draws as it would for a person."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.support.commands import PROGRAM
from tests.support.waiting import eventually

_SIZE = {"TERM": "xterm", "COLUMNS": "160", "LINES": "40"}
_ENDS_WITHIN_S = 10


class Screen:
    """A running command and all that it sent to its terminal."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self._process = process
        self._terminal = terminal
        self._sent = bytearray()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def sent(self) -> str:
        """All it sent so far, escape sequences included."""
        return bytes(self._sent).decode("utf-8", errors="replace")

    def await_word(self, word: str, after: int = 0, within_s: float = 60) -> int:
        """Returns how much was sent, once the word is among it, behind the first ``after`` characters."""

        def has_sent() -> bool:
            assert self._process.poll() is None, f"ended with {self._process.returncode}: {self.sent()}"
            return word in self.sent()[after:]

        has_sent.__name__ = f"the terminal shows {word!r}"
        eventually(has_sent, within_s)
        return len(self.sent())

    def end(self, number: signal.Signals) -> tuple[int, float]:
        """The exit code after this signal, and the seconds until then."""
        before = time.monotonic()
        self._process.send_signal(number)
        code = self.ended(_ENDS_WITHIN_S)
        return code, time.monotonic() - before

    def ended(self, within_s: float = 60) -> int:
        """The exit code, once it has ended by itself and all that it sent is there."""
        code = self._process.wait(within_s)
        self._reading.join(_ENDS_WITHIN_S)
        return code

    def close(self) -> None:
        """Leave nothing running, whatever became of the test."""
        self._process.kill()
        self._process.wait()
        self._reading.join(_ENDS_WITHIN_S)
        os.close(self._terminal)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._terminal, 65_536)
            except OSError as error:
                if error.errno != errno.EIO:  # what Linux says when the last writer has left
                    raise
                return
            if not data:
                return
            self._sent += data


@contextmanager
def on_a_terminal(*arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Screen]:
    """Runs the command with all three streams on a terminal of 160 columns; it is gone afterwards."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [PROGRAM, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **_SIZE, **(environment or {})},
        start_new_session=True,
    )
    os.close(theirs)
    screen = Screen(process, ours)
    try:
        yield screen
    finally:
        screen.close()
