"""Who works on the store at the moment."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection


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
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT split_part(application_name, ' ', 3) FROM pg_stat_activity"
            " WHERE application_name LIKE 'transferscope writer _%' AND datname = current_database() ORDER BY 1"
        )
        return [address for (address,) in cursor.fetchall()]
