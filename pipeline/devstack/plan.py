"""What a stack is made of: services, ports, class paths. Made by ``up``, read by the supervisor."""

from __future__ import annotations

import random
import socket
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec

POSTGRES = "postgres"
KAFKA = "kafka"
ACTIVEMQ = "activemq"
SERVICES = (POSTGRES, KAFKA, ACTIVEMQ)

PORTS: Mapping[str, tuple[str, ...]] = {
    POSTGRES: ("sql",),
    KAFKA: ("clients", "controller", "secured"),
    ACTIVEMQ: ("stomp", "stomp+ssl", "jolokia"),
}

KAFKA_USER = "transferscope"
"""Whom Kafka lets in through its TLS connector."""

_LOWEST_PORT = 10_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


class BrokerTls(msgspec.Struct, frozen=True):
    """TLS connectors of the broker and of Kafka: PKCS12 stores, one password for both; ``authorities`` sign clients'
    certificates.

    Without ``authorities`` no client certificate is asked for, with them none is let in without one. Kafka asks for a
    password instead: that of the stores, of the user ``KAFKA_USER``.
    """

    keys: Path
    password_file: Path
    authorities: Path | None = None


class Plan(msgspec.Struct, kw_only=True):
    """``adopted`` maps settings' variables to services that run elsewhere; ``ports`` is per service and use."""

    services: list[str]
    ports: dict[str, dict[str, int]]
    adopted: dict[str, str] = {}
    tls: BrokerTls | None = None
    jars: dict[str, list[Path]] = {}


def free_ports(count: int, taken: Collection[int] = ()) -> list[int]:
    """Ports that nobody listens on, below those that the kernel gives to outgoing connections.

    A port of the kernel's range could be taken by any client while its service restarts.
    """
    below = int(_EPHEMERAL.read_text().split()[0])
    found: list[int] = []
    for port in random.sample(range(_LOWEST_PORT, below), below - _LOWEST_PORT):
        if len(found) == count:
            break
        if port not in taken and is_free(port):
            found.append(port)
    return found


def is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def ports_for(services: Iterable[str], before: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """The ports of each service: those of ``before`` where they are still free, so that addresses stay the same."""
    chosen: dict[str, dict[str, int]] = {}
    taken: set[int] = set()
    for service in services:
        ports = dict(before.get(service, {}))
        if set(ports) != set(PORTS[service]) or not all(is_free(port) for port in ports.values()):
            ports = dict(zip(PORTS[service], free_ports(len(PORTS[service]), taken), strict=True))
        taken.update(ports.values())
        chosen[service] = ports
    return chosen
