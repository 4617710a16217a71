"""What the services of a stack have to say, from their log files."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

_POLL_S = 0.2


class Line(NamedTuple):
    service: str
    text: str


def last_lines(logs: Mapping[str, Path], count: int) -> Iterator[Line]:
    """The last ``count`` lines of each log, one service after the other; a log that is not there has none."""
    for service, log in logs.items():
        if log.exists():
            with log.open(errors="replace") as file:
                for text in deque(file, maxlen=count):
                    yield Line(service, text.rstrip("\n"))


def new_lines(logs: Mapping[str, Path]) -> Generator[Line, None, None]:
    """Lines as they are written from this call on, without end."""
    return _read_on([_Tail(service, log) for service, log in logs.items()])


def _read_on(tails: Sequence[_Tail]) -> Generator[Line, None, None]:
    try:
        while True:
            for tail in tails:
                yield from tail.read()
            time.sleep(_POLL_S)
    finally:
        for tail in tails:
            tail.close()


class _Tail:
    def __init__(self, service: str, log: Path) -> None:
        self._service = service
        self._log = log
        self._file: TextIO | None = None
        self._rest = ""
        if (file := self._open()) is not None:
            file.seek(0, os.SEEK_END)

    def read(self) -> Iterator[Line]:
        file = self._open()
        if file is None:
            return
        *whole, self._rest = (self._rest + file.read()).split("\n")
        for text in whole:
            yield Line(self._service, text)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _open(self) -> TextIO | None:
        """The log, a new one when the old was set aside."""
        if self._file is not None and self._log.exists() and not _same(self._log, self._file):
            self._file.close()
            self._file = None
        if self._file is None and self._log.exists():
            self._file = self._log.open(errors="replace")
        return self._file


def _same(path: Path, file: TextIO) -> bool:
    return os.path.samestat(path.stat(), os.fstat(file.fileno()))
