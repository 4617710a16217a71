"""The processes under test, kept up as systemd or Kubernetes would: one that ends is started again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from random import Random

from pipeline.cli.errors import UNREACHABLE
from tests.support.commands import Commands, Running

BRIDGE, RELAY, WORKER = "bridge", "relay", "worker"
WORKERS = 2
_AT_WORK = {BRIDGE: "connected to ", RELAY: "relaying", WORKER: "our partitions"}
_BEGUN = "health page at "
_START_S = 120
_RESTART_S = 1.0


class Crew:
    """A bridge, a relay and two workers, unless told otherwise. For one thread."""

    def __init__(self, commands: Commands, settings: Mapping[str, str]) -> None:
        """``settings`` are those that processes under test have beside the commands' own."""
        self._commands = commands
        self._settings = dict(settings)
        self._up: dict[str, list[Running]] = {BRIDGE: [], RELAY: [], WORKER: []}
        self._start_at: list[tuple[float, str]] = []

    def start(self) -> None:
        """All of them; returns when each is at work."""
        for name in (BRIDGE, RELAY, *[WORKER] * WORKERS):
            self._add(name)
        for name, processes in self._up.items():
            for process in processes:
                process.await_word(_AT_WORK[name], _START_S)

    def kill(self, name: str, rng: Random) -> None:
        """kill -9 of one of them; another is started in its place."""
        victim = rng.choice(self._up[name])
        victim.kill()
        self._up[name].remove(victim)
        self._add(name)

    def one(self, name: str, rng: Random) -> Running:
        """One of them."""
        return rng.choice(self._up[name])

    def scale(self, number: int) -> None:
        """So many workers; those that are too many end in order, or by SIGKILL while they begin."""
        leaving, self._up[WORKER] = self._up[WORKER][number:], self._up[WORKER][:number]
        begun = [worker for worker in leaving if _told_to_end(worker)]
        for _ in range(number - len(self._up[WORKER])):
            self._add(WORKER)
        for worker in begun:
            worker.end()

    def replace_worker(self, settings: Mapping[str, str]) -> None:
        """One worker ends in order, or by SIGKILL while it begins; another with these settings more is started."""
        leaving = self._up[WORKER].pop(0)
        if _told_to_end(leaving):
            leaving.end()
        self._add(WORKER, settings)

    def upgrade_tables(self, release: Mapping[str, str]) -> None:
        """``init`` of a release to come, whose processes have these settings more."""
        self._commands("init", settings=release)

    def look_after(self) -> None:
        """Start again who ended because a service was away. AssertionError when one ended otherwise: nothing may make
        it."""
        now = time.monotonic()
        for name, processes in self._up.items():
            for process in [p for p in processes if p.code is not None]:
                assert process.code == UNREACHABLE, f"{name} ended with {process.code}: {process.said()[-3000:]}"
                processes.remove(process)
                self._start_at.append((now + _RESTART_S, name))
        due = [name for at, name in self._start_at if at <= now]
        self._start_at = [(at, name) for at, name in self._start_at if at > now]
        for name in due:
            self._add(name)

    def end(self) -> None:
        """SIGTERM for all; each must end in order."""
        everybody = [process for processes in self._up.values() for process in processes]
        for process in everybody:
            process.tell_to_end()
        for process in everybody:
            process.end()

    def _add(self, name: str, settings: Mapping[str, str] | None = None) -> None:
        self._up[name].append(self._commands.start(name, settings=self._settings | dict(settings or {})))


def _told_to_end(process: Running) -> bool:
    """SIGTERM, or SIGKILL if it still begins: then it ends as the system has it."""
    has_begun = _BEGUN in process.said()
    process.tell_to_end() if has_begun else process.kill()
    return has_begun
