"""Runs commands as a shell does, in this process: arguments in, exit code and both outputs out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.cli.main import run
from tests.support.commands import Ended


class Shell:
    """``shell("query", "links", "--json", code=0)`` gives what stands on stdout; ``err`` is the last stderr."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.err = ""

    def __call__(self, *arguments: object, code: int = 0) -> str:
        ended = self.run(*arguments)
        self.err = ended.err
        assert ended.code == code, f"exit code {ended.code}: {self.err}"
        return ended.out

    def run(self, *arguments: object) -> Ended:
        """How the command ended, whatever it says."""
        self._capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Ended(code, *self._capsys.readouterr())

    def json(self, *arguments: object, code: int = 0) -> Any:
        """What the command says with ``--json``."""
        return json.loads(self(*arguments, "--json", code=code))
