"""What PostgreSQL tells of itself and of our login."""

from __future__ import annotations

import shutil
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from pipeline.cli.checking import clock, disk, retention, rights, tls
from pipeline.cli.checking.check import Check, Verdict, tried
from pipeline.cli.checking.clock import Clock, moment
from pipeline.cli.checking.disk import Growing, Room
from pipeline.cli.settings import Settings
from pipeline.store import programs
from pipeline.store import storage as stored
from pipeline.store.partitions import existing
from pipeline.store.queries.health import server_version
from pipeline.store.retention import Retention, database_clock, too_old
from pipeline.store.roles import READER, standing
from pipeline.store.session import Connection, connect

_SSL_REQUEST = (8).to_bytes(4) + (80877103).to_bytes(4)
"""PostgreSQL's protocol, section SSL session encryption; what agrees answers with S."""
_DAY_MS = 86_400_000


def checks(settings: Settings, own: Clock) -> Iterator[Check]:
    """All of them, as they are made; ``own`` is this machine's clock."""
    url = settings.need("database_url")
    with closing(connect(url)) as connection:
        yield Check("PostgreSQL", Verdict.OK, f"version {server_version(connection)}")
        yield clock.clock("PostgreSQL", lambda: database_clock(connection) / 1000, own)
        yield from tried("TLS to PostgreSQL", partial(_tls, connection, own))
        with connection, connection.cursor() as cursor:
            held = standing(cursor)
        if held is not None:
            yield rights.of_database(held)
            if held.lacks[READER]:
                return  # the rest could not be read
        fit = programs.fit(url)
        if fit.problem is not None:
            yield Check("tables", Verdict.WRONG, fit.problem)
            return
        beside = f"which a program of {fit.program} works with" if fit.is_newer else "current"
        yield Check("tables", Verdict.OK, f"version {fit.version}, {beside}")
        kept = Retention(settings.retention_days, settings.window_retention_days, settings.hour_retention_days)
        now_ms = database_clock(connection)
        yield _retention(connection, kept, now_ms)
        yield _disk(connection, kept, now_ms)


def _tls(connection: Connection, own: Clock) -> Iterator[Check]:
    info = connection.info
    host, mode = info.host, info.dsn_parameters.get("sslmode", "prefer")
    if not info.ssl_in_use:
        remedy = "turn TLS on at the server and say sslmode=verify-full&sslrootcert=FILE in database_url"
        yield tls.not_encrypted("PostgreSQL", host, remedy)
        return
    root = info.dsn_parameters.get("sslrootcert")
    ca_file = Path(root) if root and Path(root).is_file() else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # libpq has checked what it is told to
    if (certificate := info.dsn_parameters.get("sslcert")) and Path(certificate).is_file():
        context.load_cert_chain(certificate, info.dsn_parameters.get("sslkey"))
    found = tls.encrypted("PostgreSQL", tls.handshake((host, info.port), host, context, ca_file, _ask), moment(own))
    if mode != "verify-full" and not tls.stays_here(host):
        told = f"{found.detail}; nobody checks who answers: say sslmode=verify-full&sslrootcert=FILE in database_url"
        found = Check(found.what, Verdict.WARNING, told)
    yield found


def _ask(connection: socket.socket) -> None:
    connection.sendall(_SSL_REQUEST)
    if connection.recv(1) != b"S":
        raise ConnectionError("it speaks no TLS")


def _retention(connection: Connection, kept: Retention, now_ms: int) -> Check:
    with connection, connection.cursor() as cursor:
        overdue = list(too_old(cursor, kept.oldest(now_ms - _DAY_MS)))
        days = existing(cursor, ("transfer",))
    return retention.of_store(overdue, days[-1].end_ms if days else None, now_ms)


def _disk(connection: Connection, kept: Retention, now_ms: int) -> Check:
    size, folder = stored.database_files(connection)
    days = {"raw": kept.raw_days, "10m": kept.base_days}
    growing = [Growing(each.bytes, max(0, days[each.kind] - each.days)) for each in stored.growth(connection, now_ms)]
    return disk.judged("disk of PostgreSQL", size, _room(connection.info.host, folder), growing)


def _room(host: str, folder: Path | None) -> Room | None:
    if folder is None or not tls.stays_here(host):
        return None
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None  # in a container of this machine
    return Room(usage.total, usage.free)
