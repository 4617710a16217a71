"""A local stack as its users see it: up, its settings, orders to its services, down."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline.devstack import adoption, control, documents, jars, plan, state
from pipeline.devstack.control import NoSupervisor, Order, Verb
from pipeline.devstack.errors import NotThere, StackError
from pipeline.devstack.folders import Folder, jar_cache
from pipeline.devstack.plan import ACTIVEMQ, KAFKA, POSTGRES, SERVICES, BrokerTls, Plan
from pipeline.devstack.state import StackState

_POLL_S = 0.05
_SUPERVISOR_LIMIT_S = 30
_ORDER_LIMIT_S = 180
_JARS_OF: Mapping[str, tuple[str, ...]] = {POSTGRES: (), KAFKA: ("kafka",), ACTIVEMQ: ("activemq", "jolokia")}


@dataclass(frozen=True)
class Watch:
    """Told how the start goes: bytes of jars fetched, and the state while it changes."""

    on_bytes: jars.OnBytes = lambda done, total: None
    on_state: Callable[[StackState], None] = lambda now: None


class Stack:
    """A stack that runs. As a context manager it is brought down at the end.

    ``with Stack.up(folder) as stack: connect(stack.env()["TRANSFERSCOPE_DATABASE_URL"])``
    """

    def __init__(
        self, folder: Folder, adopted: Mapping[str, str], supervisor: subprocess.Popen[bytes] | None = None
    ) -> None:
        self._folder = folder
        self._adopted = dict(adopted)
        self._supervisor = supervisor

    @classmethod
    def up(
        cls,
        directory: Path,
        services: Collection[str] = SERVICES,
        *,
        owned: bool = True,
        adopt: Mapping[str, str] | None = None,
        tls: BrokerTls | None = None,
        watch: Watch | None = None,
    ) -> Self:
        """The stack of that folder, made or continued, once all of it serves.

        ``owned``: it ends with this process, however that ends; else it stays until ``down``, and one that already
        runs is taken as it is, what is down in it started. ``adopt``: settings (names as in the environment);
        services that they name are taken from there and not started. Raises StackError, NotThere.
        """
        watch = watch or Watch()
        folder = Folder(directory.absolute())
        folder.make()
        with _one_at_a_time(folder):
            try:
                stack = cls.attach(directory)
            except NoSupervisor:
                stack = cls._begin(folder, services, owned, adopt or {}, tls, watch)
            else:
                if owned:
                    raise StackError(
                        f"a stack already runs in {folder.path}: choose another folder, or say "
                        f"transferscope stack down --dir {folder.path}"
                    )
                stack._start_what_is_down()
            try:
                stack._wait(watch)
            except BaseException:
                if stack._supervisor is not None:
                    stack.down()
                raise
        return stack

    @classmethod
    def attach(cls, directory: Path) -> Self:
        """The stack that runs in that folder; raises NoSupervisor when none does."""
        folder = Folder(directory.absolute())
        control.order(folder.control, Order("status"), _ORDER_LIMIT_S)
        its_plan = documents.read(folder.plan, Plan)
        return cls(folder, its_plan.adopted if its_plan else {})

    @classmethod
    def _begin(
        cls,
        folder: Folder,
        services: Collection[str],
        owned: bool,
        adopt: Mapping[str, str],
        tls: BrokerTls | None,
        watch: Watch,
    ) -> Self:
        _clean(folder)
        earlier = documents.read(folder.plan, Plan)
        earlier_ports = earlier.ports if earlier else {}
        adopted = adoption.adopted(services, adopt, earlier_ports)
        own = [name for name in SERVICES if name in services and not adoption.is_adopted(name, adopted)]
        ports = {**earlier_ports, **plan.ports_for(own, earlier_ports)}
        files = _class_paths(own, watch)
        documents.write(folder.plan, Plan(services=own, ports=ports, adopted=adopted, tls=tls, jars=files))
        return cls(folder, adopted, _start_supervisor(folder, owned))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.down()

    def env(self) -> dict[str, str]:
        """The settings that name its services, adopted ones as they were given."""
        written = documents.read(self._folder.state, StackState)
        return {**self._adopted, **(written.environment if written else {})}

    def status(self) -> StackState:
        """How each service is, asked now. Raises NoSupervisor when the stack is gone."""
        now = self._order("status")
        for name in SERVICES:
            if adoption.is_adopted(name, self._adopted):
                now.services[name] = adoption.look(name, self._adopted)
        return now

    def kafka_tls_address(self) -> str:
        """``host:port`` of Kafka's TLS connector, for a stack made with ``tls``."""
        its_plan = documents.read(self._folder.plan, Plan)
        if its_plan is None or its_plan.tls is None or KAFKA not in its_plan.ports:
            raise StackError(f"the stack in {self._folder.path} was made without TLS for Kafka")
        return f"127.0.0.1:{its_plan.ports[KAFKA]['secured']}"

    def tls_address(self) -> str:
        """``stomp+ssl://host:port`` of the broker's connector, for a stack made with ``tls``."""
        its_plan = documents.read(self._folder.plan, Plan)
        if its_plan is None or its_plan.tls is None or ACTIVEMQ not in its_plan.ports:
            raise StackError(f"the stack in {self._folder.path} was made without TLS")
        return f"stomp+ssl://127.0.0.1:{its_plan.ports[ACTIVEMQ]['stomp+ssl']}"

    def start(self, service: str) -> None:
        self._order("start", service)
        self._must_serve(service)

    def stop(self, service: str) -> None:
        self._order("stop", service)

    def restart(self, service: str) -> None:
        """Stopped in order and started again, with the same address and data."""
        self._order("restart", service)
        self._must_serve(service)

    def kill(self, service: str) -> None:
        """SIGKILL to the service and its children: what a crash leaves."""
        self._order("kill", service)

    def logs(self, service: str) -> Path:
        """The file to which the service (or ``supervisor``) writes what it has to say."""
        return self._folder.log(service)

    def down(self) -> None:
        """Stops all services and waits until they are gone. Data and ports stay for the next ``up``."""
        if self._supervisor is not None and self._supervisor.stdin is not None:
            self._supervisor.stdin.close()
        bring_down(self._folder.path)
        if self._supervisor is not None:
            self._supervisor.wait()

    def _order(self, verb: Verb, service: str = "") -> StackState:
        if service and service not in SERVICES:
            raise StackError(f"there is no service {service}: say one of {', '.join(SERVICES)}")
        if service and adoption.is_adopted(service, self._adopted):
            raise StackError(f"{service} was not started by this stack: {verb} it where it runs")
        return control.order(self._folder.control, Order(verb, service), _ORDER_LIMIT_S)

    def _must_serve(self, service: str) -> None:
        now = self.status().services[service]
        if not now.is_serving:
            raise NotThere(f"{service} did not start: {now.detail}")

    def _start_what_is_down(self) -> None:
        for name, service in self._order("status").services.items():
            if service.state in (state.STOPPED, state.FAILED):
                self._order("restart", name)

    def _wait(self, watch: Watch) -> None:
        now = self.status()
        while not now.is_settled:
            watch.on_state(now)
            time.sleep(_POLL_S)
            now = self.status()
        watch.on_state(now)
        missing = [
            f"{s.name} at {s.address} is not there: {s.detail}" for s in now.services.values() if not s.is_serving
        ]
        if missing:
            raise NotThere("; ".join(missing))


def bring_down(directory: Path) -> bool:
    """Ends the stack of that folder, or what a dead supervisor left of it; whether there was anything to end."""
    folder = Folder(directory.absolute())
    if not folder.path.is_dir():
        return False
    was_running = True
    try:
        control.order(folder.control, Order("down"), _ORDER_LIMIT_S)
    except NoSupervisor:
        was_running = False
    with folder.lock.open("w") as lock:  # the supervisor's for its life
        fcntl.flock(lock, fcntl.LOCK_EX)
    return _clean(folder) or was_running


def _clean(folder: Folder) -> bool:
    """Ends processes of a stack whose supervisor died; whether there were any."""
    left = documents.read(folder.state, StackState)
    identities = [service.process for service in left.services.values() if service.process] if left else []
    alive = [identity for identity in identities if identity.is_alive()]
    for identity in alive:
        identity.kill()
    while any(identity.is_alive() for identity in alive):
        time.sleep(_POLL_S)
    folder.control.unlink(missing_ok=True)
    folder.state.unlink(missing_ok=True)
    return bool(alive)


@contextmanager
def _one_at_a_time(folder: Folder) -> Iterator[None]:
    """Two that bring up one stack at the same moment: the second finds it up."""
    with folder.path.joinpath("up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _class_paths(services: Collection[str], watch: Watch) -> dict[str, list[Path]]:
    locked = [jar for jar in jars.locked() if any(jar.service in _JARS_OF[name] for name in services)]
    paths: dict[str, list[Path]] = {}
    for jar, file in zip(locked, jars.ensure(locked, jar_cache(), watch.on_bytes), strict=True):
        paths.setdefault(jar.service, []).append(file)
    return paths


def _start_supervisor(folder: Folder, owned: bool) -> subprocess.Popen[bytes]:
    """For an owned stack its standard input is a pipe, and the end of that is the stack's end."""
    owner = [str(os.getpid())] if owned else []
    with folder.log("supervisor").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pipeline.devstack.supervisor", str(folder.path), *owner],
            stdin=subprocess.PIPE if owned else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder.path,
            start_new_session=True,
        )
    deadline = time.monotonic() + _SUPERVISOR_LIMIT_S
    while True:
        try:
            control.order(folder.control, Order("status"), _ORDER_LIMIT_S)
        except NoSupervisor:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                why = f"the stack's supervisor did not start: read {folder.log('supervisor')}"
                raise NotThere(why) from None
            time.sleep(_POLL_S)
        else:
            return process
