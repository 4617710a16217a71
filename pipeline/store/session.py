"""Connections to Postgres: one place that knows how they are made and what their failures mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.errors import IdleInTransactionSessionTimeout, ReadOnlySqlTransaction
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import parse_dsn

__all__ = [
    "AWAY",
    "LETS_GO",
    "YIELDS",
    "Connection",
    "Cursor",
    "TakesNoWrites",
    "Unavailable",
    "connect",
    "service_address",
    "writing",
]

AWAY = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    ReadOnlySqlTransaction,
    IdleInTransactionSessionTimeout,
)
"""What psycopg2 raises when the server is away or ends a session, and when it takes no changes: a stand-by does not."""

_IDLE_S, _INTERVAL_S, _PROBES = 10, 5, 3
_SILENT_MS = 25_000
"""A host that falls silent (it lost its power, a firewall forgot the connection) is given up after this, probes or not:
while something is unacknowledged TCP sends no probes, and by itself tries for a quarter of an hour. The server does
likewise with us: the locks of a writer whose host is gone would keep others waiting for two hours."""
_OPTIONS = (
    "-c timezone=UTC -c datestyle=ISO"
    f" -c tcp_keepalives_idle={_IDLE_S} -c tcp_keepalives_interval={_INTERVAL_S} -c tcp_keepalives_count={_PROBES}"
    f" -c tcp_user_timeout={_SILENT_MS}"
)

LETS_GO = "-c idle_in_transaction_session_timeout=30s"
"""``options`` for those who hold locks that others wait for: the server ends the session of a process that is stopped
in the middle of a transaction (SIGSTOP, a virtual machine that is moved). It would hold up all others with it."""

YIELDS = "-c lock_timeout=1s"
"""``options`` for those who can do it another time: who waits for a table, or owns days, keeps everybody who comes
after him waiting."""


class Unavailable(Exception):
    """A service that is needed cannot be reached: which, where, and what it said."""

    def __init__(self, service: str, address: str, why: str) -> None:
        super().__init__(service, address, why)
        self.service = service
        self.address = address
        self.why = why

    def __str__(self) -> str:
        return f"{self.service} at {self.address} cannot be reached: {' '.join(self.why.split())}"


class TakesNoWrites(Exception):
    """The server is a standby: it is only read until it is promoted."""


@contextmanager
def writing(connection: Connection) -> Iterator[Cursor]:
    """A transaction that writes, on a connection that may be read-only by default. What was open on it ends.

    Raises TakesNoWrites.
    """
    connection.rollback()
    with connection, connection.cursor() as cursor:
        try:
            cursor.execute("SET TRANSACTION READ WRITE")
        except psycopg2.errors.FeatureNotSupported as error:
            raise TakesNoWrites(str(error)) from error
        yield cursor


def connect(database_url: str, application: str = "transferscope", options: str = "") -> Connection:
    """A new connection, UTC, not in autocommit. ``options`` are further ``-c name=value``. Raises Unavailable."""
    try:
        return psycopg2.connect(
            database_url,
            application_name=application,
            options=f"{_OPTIONS} {options}".strip(),
            connect_timeout=10,
            keepalives_idle=_IDLE_S,
            keepalives_interval=_INTERVAL_S,
            keepalives_count=_PROBES,
            tcp_user_timeout=_SILENT_MS,
        )
    except psycopg2.OperationalError as error:
        raise Unavailable("PostgreSQL", service_address(database_url), _with_remedy(str(error))) from error


_REMEDIES = {
    # libpq does not say which of the two.
    "certificate verify failed": (
        "it has expired, or its authority is not in the sslrootcert of database_url:"
        " openssl s_client -starttls postgres -connect HOST:PORT shows it"
    ),
    "does not match host name": "name the server in database_url as its certificate does",
    "server does not support SSL": "turn TLS on at the server; nothing is sent without it while sslmode asks for it",
    "no encryption": "ask for TLS in database_url: sslmode=verify-full&sslrootcert=…",
    "root certificate file": "correct sslrootcert in database_url",
}


def _with_remedy(why: str) -> str:
    """What libpq says, and what to do where TLS is at fault."""
    remedy = next((remedy for said, remedy in _REMEDIES.items() if said in why), None)
    return why if remedy is None else f"{why.strip()}: {remedy}"


def service_address(database_url: str) -> str:
    """Host, port and database of a URL, without user and password."""
    parts = parse_dsn(database_url)
    return f"{parts.get('host', 'local socket')}:{parts.get('port', '5432')}/{parts.get('dbname', '')}"
