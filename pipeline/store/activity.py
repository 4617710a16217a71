"""Who works on the store at the moment."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

_WEB = "transferscope web"
_RELAY = "transferscope relay"
_NAME_BYTES = 63
"""Postgres cuts longer names of applications."""


def writer_pids(connection: Connection) -> list[int]:
    """The process ids, on the server's machine, of the connections that write batches into this database."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE application_name LIKE 'transferscope writer%' AND datname = current_database()"
        )
        return [pid for (pid,) in cursor.fetchall()]


def writer_addresses(connection: Connection) -> list[str]:
    """Where the health pages of the workers are that write into this database, as each of them said on connecting."""
    return _addresses(connection, "transferscope writer")


def web_addresses(connection: Connection) -> list[str]:
    """Where web processes listen that read this database, as each of them said on connecting."""
    return _addresses(connection, _WEB)


def web_application(address: str) -> str:
    """The name under which a web process connects: with its address, unless that is too long to be told whole."""
    return _named(_WEB, address)


def relay_addresses(connection: Connection) -> list[str]:
    """Where the health pages of the relays of this database are, as each of them said on connecting."""
    return _addresses(connection, _RELAY)


def relay_application(address: str) -> str:
    """The name under which a relay connects, by the same rule."""
    return _named(_RELAY, address)


def _named(application: str, address: str) -> str:
    name = f"{application} {address}".rstrip()
    return name if len(name.encode()) <= _NAME_BYTES else application


def _addresses(connection: Connection, application: str) -> list[str]:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT split_part(application_name, ' ', 3) FROM pg_stat_activity"
            " WHERE application_name LIKE %s AND datname = current_database() ORDER BY 1",
            (f"{application} _%",),
        )
        return [address for (address,) in cursor.fetchall()]
