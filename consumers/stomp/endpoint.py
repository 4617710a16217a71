"""Where a broker is and how to get in: a name, the addresses behind it, TLS, a login."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from consumers.errors import Unreachable

SERVICE = "ActiveMQ"


@dataclass(frozen=True)
class Tls:
    """``ca_file`` holds the authorities that may sign the broker's certificate (default: the system's);
    ``cert_file`` and ``key_file`` are the client's own (the key may be in the certificate's file)."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Verifies the chain and the host name. Read from the files anew each time, so renewed ones count.

        Raises OSError (ssl.SSLError is one) for a file that cannot be used.
        """
        context = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.cert_file:
            context.load_cert_chain(str(self.cert_file), str(self.key_file) if self.key_file else None)
        return context


@dataclass(frozen=True)
class Endpoint:
    """One address behind a broker's name. TLS is verified against the name, not against the address."""

    host: str
    address: str
    port: int
    tls: Tls | None = None

    def __str__(self) -> str:
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return f"{shown}:{self.port}" if self.host == self.address else f"{self.host}:{self.port} ({shown})"


@dataclass(frozen=True)
class Login:
    """``password`` reads its file when it is asked, so that a changed one counts from the next connection on."""

    user: str | None = None
    password: Callable[[], str | None] = lambda: None


def addresses(host: str, port: int) -> tuple[str, ...]:
    """Every address behind the name, IPv4 where there is any: the two families of a host would be the same broker.

    Raises Unreachable when the name cannot be resolved.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Unreachable(SERVICE, f"{host}:{port}", f"its name cannot be resolved ({why})") from error
    by_family: dict[int, list[str]] = {}
    for family, _, _, _, address in found:
        by_family.setdefault(family, []).append(str(address[0]))
    chosen = by_family.get(socket.AF_INET) or by_family.get(socket.AF_INET6) or []
    return tuple(dict.fromkeys(chosen))
