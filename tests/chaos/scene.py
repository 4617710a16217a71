"""What a fault can get at in a run, and the time that passes meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random

from tests.chaos.crew import Crew
from tests.chaos.schedule import Fault
from tests.chaos.site import Site
from tests.chaos.traffic import Traffic

_LOOK_S = 0.1


class Scene:
    """For one thread."""

    def __init__(self, site: Site, folder: Path, database_url: str, crew: Crew, traffic: Traffic) -> None:
        """``folder``: of the run; ``database_url``: of its own database, past the proxy."""
        self.site = site
        self.folder = folder
        self.database_url = database_url
        self.crew = crew
        self.traffic = traffic
        self._agenda: list[tuple[float, Callable[[], object]]] = []

    def later(self, after_s: float, action: Callable[[], object]) -> None:
        """Something that is to be done while time passes."""
        self._agenda.append((time.monotonic() + after_s, action))

    def wait(self, seconds: float) -> None:
        """Time passes: what is due is done, processes are kept up. AssertionError when one ended that must not."""
        until = time.monotonic() + seconds
        while True:
            self.crew.look_after()
            now = time.monotonic()
            due = [action for at, action in self._agenda if at <= now]
            self._agenda = [(at, action) for at, action in self._agenda if at > now]
            for action in due:
                action()
            if now >= until:
                return
            time.sleep(max(0.0, min(_LOOK_S, until - time.monotonic())))


Play = Callable[[Scene, Fault, Random], AbstractContextManager[None]]
"""A kind of fault as a context: it begins, and what is wrong is put right at the end."""
