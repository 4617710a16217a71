"""Services that run elsewhere and that a stack takes as they are, because the settings name them."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from pipeline.devstack import state
from pipeline.devstack.plan import ACTIVEMQ, KAFKA, POSTGRES
from pipeline.devstack.state import ServiceState

_CONNECT_LIMIT_S = 5


class _Naming(NamedTuple):
    variable: str
    beginnings: tuple[str, ...]
    port: int


_NAMING: Mapping[str, _Naming] = {
    POSTGRES: _Naming("TRANSFERSCOPE_DATABASE_URL", ("TRANSFERSCOPE_DATABASE_",), 5432),
    KAFKA: _Naming("TRANSFERSCOPE_KAFKA_BOOTSTRAP", ("TRANSFERSCOPE_KAFKA_",), 9092),
    ACTIVEMQ: _Naming("TRANSFERSCOPE_STOMP_BROKERS", ("TRANSFERSCOPE_STOMP_", "TRANSFERSCOPE_BROKER_"), 61613),
}
"""The variable that names a service, how all variables that belong to it begin, and its customary port."""


def adopted(
    services: Collection[str], settings: Mapping[str, str], own_ports: Mapping[str, Mapping[str, int]]
) -> dict[str, str]:
    """The settings of services that run elsewhere.

    One whose addresses are a stack's own ports does not: the shell still has the settings that the stack gave out.
    """
    found: dict[str, str] = {}
    for name in services:
        variable, beginnings, port = _NAMING[name]
        own = {("127.0.0.1", number) for number in own_ports.get(name, {}).values()}
        addresses = set(_addresses(settings.get(variable, ""), port))
        if settings.get(variable) and not (addresses and addresses <= own):
            found |= {key: value for key, value in settings.items() if value and key.startswith(beginnings)}
    return found


def is_adopted(service: str, settings: Mapping[str, str]) -> bool:
    return _NAMING[service].variable in settings


def look(service: str, settings: Mapping[str, str]) -> ServiceState:
    """An adopted service is there when each of its addresses takes a connection."""
    addresses = list(_addresses(settings[_NAMING[service].variable], _NAMING[service].port))
    shown = ", ".join(f"{host}:{port}" for host, port in addresses)
    for host, port in addresses:
        try:
            socket.create_connection((host, port), timeout=_CONNECT_LIMIT_S).close()
        except OSError as error:
            why = f"{host}:{port} cannot be reached: {error}"
            return ServiceState(name=service, state=state.FAILED, address=shown, detail=why)
    return ServiceState(
        name=service, state=state.ADOPTED, address=shown, detail="runs elsewhere, named by the settings"
    )


def _addresses(value: str, customary_port: int) -> Iterator[tuple[str, int]]:
    for part in value.split(","):
        url = urlsplit(part.strip() if "://" in part else f"//{part.strip()}")
        if url.hostname:
            yield url.hostname, url.port or customary_port
