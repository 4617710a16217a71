"""One service of a stack through its life: prepared, started, found ready, stopped, killed."""

from __future__ import annotations

import asyncio
import os
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.devstack import launch, processes, state
from pipeline.devstack.errors import NotThere
from pipeline.devstack.services.service import NotReady, Program, Service

START_LIMIT_S = 120
STOP_LIMIT_S = 20
_PROBE_LIMIT_S = 5
_PROBE_EVERY_S = 0.05
_LOG_LIMIT_BYTES = 16 * 2**20


class Runner:
    """Every change of ``state`` is told to ``on_change``. Orders wait for each other."""

    def __init__(self, service: Service, log: Path, on_change: Callable[[], None]) -> None:
        self._service = service
        self._log = log
        self._on_change = on_change
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self.state = state.ServiceState(name=service.name, address=service.address)

    async def start(self) -> None:
        async with self._turn:
            if self._process is not None:
                return
            began = time.monotonic()
            self._set(state.STARTING)
            try:
                async with asyncio.timeout(START_LIMIT_S):
                    await self._service.prepare(self._run)
                    await self._spawn()
                    await self._until_ready()
                    await self._service.finish(self._run)
            except TimeoutError:
                await self._end(state.FAILED, f"not ready in {START_LIMIT_S} s: {self._last_words()}")
            except (NotThere, OSError) as error:
                await self._end(state.FAILED, str(error))
            else:
                self.state.ready_s = round(time.monotonic() - began, 2)
                self._set(state.UP)

    async def stop(self) -> None:
        """In order, by force when that takes too long."""
        async with self._turn:
            await self._end(state.STOPPED, "stopped by order")

    async def kill(self) -> None:
        """As a crash would: SIGKILL, to its children too, and gone when this returns."""
        async with self._turn:
            if self._process is not None:
                family = processes.family(self._process.pid)
                for member in family:
                    member.kill()
                while any(member.is_alive() for member in family):
                    await asyncio.sleep(_PROBE_EVERY_S)
            await self._end(state.STOPPED, "killed by order")

    async def look(self) -> None:
        """Asks a server that should be up whether it still serves, and notes what it finds."""
        if self.state.state not in (state.UP, state.FAILED) or self._process is None or self._turn.locked():
            return
        reason = await self._probe()
        self._set(state.FAILED if reason else state.UP, f"runs, but does not serve: {reason}" if reason else "")

    async def _spawn(self) -> None:
        program = self._service.program()
        with _opened(self._log) as log:
            self._process = await _launched(program, stdout=log, stderr=STDOUT)
        self.state.process = processes.Identity.of(self._process.pid)
        self._on_change()
        self._watcher = asyncio.create_task(self._watch(self._process))

    async def _watch(self, process: Process) -> None:
        code = await process.wait()
        if self._process is process and not self._turn.locked():
            self._gone(state.FAILED, f"ended by itself with exit code {code}: {self._last_words()}")

    async def _until_ready(self) -> None:
        assert self._process is not None
        while await self._probe():
            if self._process.returncode is not None:
                raise NotThere(f"ended with exit code {self._process.returncode}: {self._last_words()}")
            await asyncio.sleep(_PROBE_EVERY_S)

    async def _probe(self) -> str:
        """Empty when clients are served, else why not."""
        try:
            async with asyncio.timeout(_PROBE_LIMIT_S):
                await self._service.probe()
        except TimeoutError:
            return f"no answer in {_PROBE_LIMIT_S} s"
        except (NotReady, OSError, EOFError) as error:
            return str(error) or type(error).__name__
        return ""

    async def _end(self, how: str, detail: str) -> None:
        process = self._process
        if process is not None:
            with suppress(ProcessLookupError):
                process.send_signal(self._service.program().stop_signal)
            try:
                await asyncio.wait_for(process.wait(), STOP_LIMIT_S)
            except TimeoutError:
                process.kill()
                await process.wait()
        self._gone(how, detail)

    def _gone(self, how: str, detail: str) -> None:
        self._process = None
        self.state.process = None
        self._set(how, detail)

    async def _run(self, program: Program) -> str:
        process = await _launched(program, stdout=PIPE, stderr=PIPE)
        try:
            out, err = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            raise
        if process.returncode != 0:
            words = (err or out).decode(errors="replace").strip().splitlines() or ["no word"]
            raise NotThere(f"{Path(program.argv[0]).name} failed with exit code {process.returncode}: {words[-1]}")
        return out.decode(errors="replace")

    def _set(self, how: str, detail: str = "") -> None:
        self.state.state = how
        self.state.detail = detail
        self._on_change()

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = self._log.read_text(errors="replace").strip().splitlines()
            if lines:
                return f"{lines[-1]} ({self._log})"
        return f"read {self._log}"


async def _launched(program: Program, stdout: int, stderr: int) -> Process:
    command = launch.argv(os.getpid(), program.death_signal, program.user, program.argv)
    return await asyncio.create_subprocess_exec(
        *command, cwd=program.folder, stdin=DEVNULL, stdout=stdout, stderr=stderr
    )


@contextmanager
def _opened(log: Path) -> Iterator[int]:
    """The log to append to, set aside first when it has grown."""
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
