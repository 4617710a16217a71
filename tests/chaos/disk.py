"""A small disk for PostgreSQL's tables, which can be filled up: a tmpfs, so only root has it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from tests.support.database import Database

SPACE = "chaos"
"""Name of the tablespace on it."""
_SIZE = "1g"
_BALLAST = "ballast"
_PIECES = (2**20, 2**12)


class Disk:
    """Mounted while the context of ``mounted`` lasts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def full(self) -> Iterator[None]:
        """No byte is left on it meanwhile."""
        ballast = self._folder / _BALLAST
        with ballast.open("wb") as file:
            _fill(file.fileno())
        try:
            yield
        finally:
            ballast.unlink()


def _fill(descriptor: int) -> None:
    """Large pieces, then small ones, until nothing is left: PostgreSQL may take some meanwhile."""
    begin = 0
    for piece in _PIECES:
        with suppress(OSError):
            while True:
                os.posix_fallocate(descriptor, begin, piece)
                begin += piece


@contextmanager
def mounted(server_url: str) -> Iterator[Disk]:
    """A new disk with a tablespace of that server. Raises OSError when it cannot be mounted.

    It is in a folder of its own, because PostgreSQL's user may not enter the folders of tests.
    """
    folder = Path(tempfile.mkdtemp(prefix="transferscope-disk-"))
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=0700", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        folder.rmdir()
        raise OSError(done.stderr.strip())
    try:
        with closing(Database(server_url)) as database:
            owner = Path(database.value("SHOW data_directory")).stat()
            tables = folder / "tables"
            tables.mkdir()
            for path in (folder, tables):
                os.chown(path, owner.st_uid, owner.st_gid)
            database.ask(f"CREATE TABLESPACE {SPACE} LOCATION '{tables}'")
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()
