"""Where things lie: a stack in one folder of its own, the jars in a cache that all stacks share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


def default_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The user's own stack, by the XDG base directory rules."""
    return _base(environment, "XDG_STATE_HOME", ".local/state") / "transferscope" / "stack"


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """What was fetched and can be fetched again."""
    return _base(environment, "XDG_CACHE_HOME", ".cache") / "transferscope"


def jar_cache(environment: Mapping[str, str] = os.environ) -> Path:
    return cache_folder(environment) / "jars"


def _base(environment: Mapping[str, str], variable: str, otherwise: str) -> Path:
    chosen = environment.get(variable, "")
    return Path(chosen) if os.path.isabs(chosen) else Path.home() / otherwise


@dataclass(frozen=True)
class Folder:
    """The layout of one stack's folder; only its owner may enter it, since passwords lie in it."""

    path: Path

    @property
    def plan(self) -> Path:
        """What the stack is made of; its ports stay the same from one ``up`` to the next."""
        return self.path / "plan.json"

    @property
    def state(self) -> Path:
        """Who runs, written by the supervisor."""
        return self.path / "stack.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for its life."""
        return self.path / "lock"

    @property
    def control(self) -> Path:
        """The Unix socket on which the supervisor takes orders."""
        return self.path / "control.sock"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    def home(self, service: str) -> Path:
        """Configuration and data of a service."""
        return self.path / service

    def log(self, service: str) -> Path:
        return self.path / "log" / f"{service}.log"

    def make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        for folder in (self.secrets, self.log("any").parent):
            folder.mkdir(exist_ok=True)
