"""How large a store is, and how many messages its windows count: for benchmarks, not cheap on a large one."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.store.session import Connection

_FOOTPRINT = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),
    (SELECT count(*) FROM store.link),
    pg_database_size(current_database()),
    (SELECT coalesce(sum(size), 0)::bigint FROM pg_ls_waldir())
"""


class Footprint(NamedTuple):
    """Connections to the database, links with their channels and FTS instances, and bytes on disk: of the database and
    of the whole server's write-ahead log."""

    connections: int
    links: int
    database_bytes: int
    log_bytes: int


def footprint(connection: Connection) -> Footprint:
    """As it is now; to see the log takes a member of ``pg_monitor``."""
    with connection, connection.cursor() as cursor:
        cursor.execute(_FOOTPRINT)
        (row,) = cursor.fetchall()
    return Footprint(*row)


def counted_in_windows(connection: Connection) -> int:
    """Starts and ends of transfers that the windows of links count."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(started + ok + failed + aborted), 0)::bigint FROM report.link_10m")
        ((number,),) = cursor.fetchall()
    return int(number)
