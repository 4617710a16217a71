"""How a stack is: what the supervisor writes into its folder and answers when asked."""

from __future__ import annotations

from pathlib import Path

import msgspec

from pipeline.devstack.processes import Identity

STARTING = "starting"
UP = "up"
STOPPED = "stopped"
FAILED = "failed"
ADOPTED = "adopted"


class ServiceState(msgspec.Struct, kw_only=True):
    """One service. ``ready_s`` is how long its last start took; ``detail`` says why it is not up."""

    name: str
    state: str = STOPPED
    address: str = ""
    process: Identity | None = None
    ready_s: float | None = None
    detail: str = ""

    @property
    def is_serving(self) -> bool:
        return self.state in (UP, ADOPTED)


class StackState(msgspec.Struct, kw_only=True):
    """The whole; ``owner`` is the process whose end is the stack's end, None when it stays until ``down``."""

    folder: Path
    supervisor: Identity
    owner: Identity | None
    services: dict[str, ServiceState]
    environment: dict[str, str]

    @property
    def is_serving(self) -> bool:
        return all(service.is_serving for service in self.services.values())

    @property
    def is_settled(self) -> bool:
        return all(service.state != STARTING for service in self.services.values())
