"""``python -m pipeline.devstack.supervisor FOLDER [OWNER]``: holds the services of a stack and takes orders.

The services are its children, bound to its life by the kernel. With an OWNER (a pid), its standard input is a pipe
that the owner holds: when that ends, so does the stack, however the owner died.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from pipeline.devstack import control, documents, processes
from pipeline.devstack.folders import Folder
from pipeline.devstack.plan import ACTIVEMQ, KAFKA, POSTGRES, Plan
from pipeline.devstack.runner import Runner
from pipeline.devstack.services.service import Service
from pipeline.devstack.state import StackState


class Supervisor:
    def __init__(self, folder: Folder, its_plan: Plan, owner: processes.Identity | None) -> None:
        self._folder = folder
        self._services = [_service(name, folder, its_plan) for name in its_plan.services]
        self._runners = {s.name: Runner(s, folder.log(s.name), self._write) for s in self._services}
        environment = {k: v for service in self._services for k, v in service.environment().items()}
        self._state = StackState(
            folder=folder.path,
            supervisor=processes.Identity.of(os.getpid()),
            owner=owner,
            services={name: runner.state for name, runner in self._runners.items()},
            environment=environment,
        )
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Until told to end by an order, a signal or the end of the owner; all services are stopped then."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._ended.set)
        for ignored in (signal.SIGINT, signal.SIGHUP):  # the terminal's: they are meant for the owner
            signal.signal(ignored, signal.SIG_IGN)
        if self._state.owner is not None:
            await loop.connect_read_pipe(lambda: _UntilEof(self._ended), sys.stdin)
        server = await asyncio.start_unix_server(self._answer, sock=control.listener(self._folder.control))
        self._write()
        starts = [asyncio.create_task(runner.start()) for runner in self._runners.values()]
        await self._ended.wait()
        for start in starts:
            start.cancel()
        await asyncio.gather(*starts, return_exceptions=True)
        await asyncio.gather(*(runner.stop() for runner in self._runners.values()))
        self._write()
        self._folder.control.unlink(missing_ok=True)
        server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            error = ""
            try:
                await self._carry_out(documents.decode(await reader.readline(), control.Order))
            except (msgspec.DecodeError, KeyError) as problem:
                error = f"the order cannot be carried out: {problem}"
            writer.write(documents.encode(control.Answer(error, self._state)) + b"\n")
            await writer.drain()
        writer.close()

    async def _carry_out(self, order: control.Order) -> None:
        if order.verb == "down":
            self._ended.set()
        elif order.verb == "status":
            await asyncio.gather(*(runner.look() for runner in self._runners.values()))
        else:
            runner = self._runners[order.service]
            if order.verb == "kill":
                await runner.kill()
            if order.verb in ("stop", "restart"):
                await runner.stop()
            if order.verb in ("start", "restart"):
                await runner.start()

    def _write(self) -> None:
        documents.write(self._folder.state, self._state)


class _UntilEof(asyncio.Protocol):
    def __init__(self, ended: asyncio.Event) -> None:
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.set()


def _service(name: str, folder: Folder, its_plan: Plan) -> Service:
    # Each needs a package of the extra `stack`, which is asked for only when the service is started here.
    if name == POSTGRES:
        from pipeline.devstack.services.postgres import Postgres

        return Postgres(folder, its_plan)
    if name == KAFKA:
        from pipeline.devstack.services.kafka import Kafka

        return Kafka(folder, its_plan)
    assert name == ACTIVEMQ
    from pipeline.devstack.services.activemq import ActiveMQ

    return ActiveMQ(folder, its_plan)


def main() -> None:
    folder = Folder(Path(sys.argv[1]))
    with folder.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another supervisor holds {folder.lock}")
        its_plan = documents.read(folder.plan, Plan)
        assert its_plan is not None
        owner = processes.Identity.of(int(sys.argv[2])) if len(sys.argv) > 2 else None
        asyncio.run(_run(folder, its_plan, owner))


async def _run(folder: Folder, its_plan: Plan, owner: processes.Identity | None) -> None:
    await Supervisor(folder, its_plan, owner).run()


if __name__ == "__main__":
    main()
