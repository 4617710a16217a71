"""A database that holds recorded traffic, for a module whose tests read it and change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.cli.main import run
from tests.support import postgres
from tests.support.lines import write


@contextmanager
def replayed(template_url: str, folder: Path, lines: Iterable[str]) -> Iterator[str]:
    """The address of a copy of the template into which these lines were replayed, dropped at the end."""
    with postgres.copy_of(template_url) as url:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv(postgres.VARIABLE, url)
            assert run(["replay", str(write(folder / "traffic.jsonl", lines))]) == 0
        yield url
