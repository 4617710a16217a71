"""The peers of ``bench peers``: what their file says of them, the environment each runs in, and how one is started."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.cli.children import Beside
from pipeline.cli.errors import ConfigurationError, Unreachable
from pipeline.cli.output import say
from pipeline.devstack import jars
from pipeline.devstack.folders import cache_folder, jar_cache
from pipeline.devstack.services.java import java_home

PEERS = Path(__file__).parents[2] / "tests" / "bench" / "peers"
_TAIL_BYTES = 4096
_PROGRESS = re.compile(rb"^progress (\d+)$", re.MULTILINE)
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


class Peer(NamedTuple):
    """What ``peers.toml`` says of one.

    ``command`` is for its environment's Python; ``processes`` share the work. ``part``: it is slow, and reads a part of
    the messages. ``dedupes``, ``joins``, ``stores`` (in PostgreSQL), ``late`` (every late message counts) and
    ``leaves_out`` say how much of the job it does. ``counts``: whether its progress is in ``messages`` that it is done
    with, or in those that its ``result`` tells of.
    """

    name: str
    title: str
    folder: str
    command: tuple[str, ...]
    processes: int
    part: bool
    dedupes: bool
    joins: bool
    stores: bool
    late: bool
    counts: str
    leaves_out: str


def load() -> list[Peer]:
    """The peers, in the file's order. Raises ConfigurationError where they were not installed."""
    try:
        text = (PEERS / "peers.toml").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"the peers' programs are in a checkout of transferscope alone, and {PEERS} is not there: run it in one"
        ) from error
    return [Peer(**{**entry, "command": tuple(entry["command"])}) for entry in tomllib.loads(text)["peer"]]


def python_of(peer: Peer) -> Path:
    """The Python of its own environment, which is made once for each lock. Raises Unreachable when that fails."""
    lock = PEERS / peer.folder / "requirements.lock"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    place = cache_folder() / "peers" / f"{peer.folder}-{digest}"
    ready, python = place / "ready", place / "bin" / "python"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not ready.exists():
            say(f"installing what {peer.title} needs, once, in {place}")
            shutil.rmtree(place, ignore_errors=True)
            _run(peer, [sys.executable, "-m", "venv", str(place)])
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
            _run(peer, [*pip, "-r", str(lock)])
            ready.touch()
    return python


def _run(peer: Peer, command: Sequence[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True)
    if done.returncode:
        why = " ".join(done.stderr.split()[-60:])
        raise Unreachable(f"what {peer.title} needs", "the package index that pip uses", f"{why}: look at the network")


def jars_of(peer: Peer) -> list[Path]:
    """The jars that it needs beside its packages. Raises NotThere when one cannot be fetched."""
    lock = PEERS / peer.folder / jars.LOCK_FILE
    return jars.ensure(jars.locked(lock.read_text(encoding="utf-8")), jar_cache()) if lock.exists() else []


class Place(NamedTuple):
    """Where a peer reads and writes: Kafka's servers, a topic, a consumer group of its own, an empty database, and a
    free port for each process, to speak with the others."""

    kafka: str
    topic: str
    group: str
    database_url: str
    ports: list[int]


class Process(Beside):
    """One process of a peer, with a folder of its own for what it leaves."""

    def __init__(self, peer: Peer, number: int, python: Path, place: Place, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ} | {
            "JAVA_HOME": str(java_home()),
            "PEER_ADDRESSES": ",".join(f"127.0.0.1:{port}" for port in place.ports),
            "PEER_DATABASE_URL": place.database_url,
            "PEER_FOLDER": str(folder),
            "PEER_GROUP": place.group,
            "PEER_JARS": ":".join(map(str, jars_of(peer))),
            "PEER_KAFKA": place.kafka,
            "PEER_PROCESS": str(number),
            "PEER_TOPIC": place.topic,
            "PYTHONPATH": f"{PEERS}:{PEERS / peer.folder}",
            "PYTHONUNBUFFERED": "1",
        }
        super().__init__(peer.title, [str(python), *peer.command], environment, folder / "log")

    def windows(self) -> list[list[int]]:
        """What it left at its end. Raises Died when that is nothing."""
        left = self.folder / "windows.json"
        if not left.exists():
            self.check()
        found: list[list[int]] = json.loads(left.read_bytes())
        return found

    def done(self) -> int:
        """How many messages it has told to be done with."""
        with (self.folder / "log").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            told = _PROGRESS.findall(log.read())
        return int(told[-1]) if told else 0
