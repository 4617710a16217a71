"""A standby of a PostgreSQL server of the local stack: a copy that is only read, and does not follow."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from pipeline.devstack.plan import free_ports
from pipeline.devstack.services.postgres import ROOT_BECOMES
from tests.support.programs import postgres_program


@contextmanager
def standby(database_url: str) -> Iterator[str]:
    """The address of that database on a standby; the test is skipped where the local stack's programs are missing."""
    copy, start_and_stop = postgres_program("pg_basebackup"), postgres_program("pg_ctl")
    with TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        copied: list[str | Path] = [copy, "--dbname", database_url, "--pgdata", data]
        subprocess.run([*copied, "--checkpoint=fast", "--no-sync"], check=True)
        (data / "standby.signal").touch()
        runs: dict[str, Any] = {"check": True, "cwd": folder, "stdout": subprocess.DEVNULL, **_user(Path(folder))}
        (port,) = free_ports(1)
        control: list[str | Path] = [start_and_stop, "--pgdata", data, "--wait"]
        options: list[str | Path] = ["--options", f"-p {port} -c shared_buffers=16MB", "--log", data / "log"]
        subprocess.run([*control, *options, "start"], **runs)
        try:
            parts = urlsplit(database_url)
            login = parts.netloc.rpartition("@")[0]
            yield parts._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()
        finally:
            subprocess.run([*control, "--mode=immediate", "stop"], **runs)


def _user(folder: Path) -> dict[str, Any]:
    """As whom it runs: like the local stack's server not as root, and then the folder is given to him."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = next(known[name] for name in ROOT_BECOMES if name in known)
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
