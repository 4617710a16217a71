"""The jars of Kafka and ActiveMQ: which ones, their sums, and how they come into the cache.

``jars.lock`` names every jar with its size and SHA-256 sum and no address: jgo knows where Maven artifacts are to be
had, with the user's own mirrors (``~/.config/jgo.conf``). A jar lies in the cache under its sum and is compared with
it before every use, so that a changed one is never started.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pipeline.devstack.errors import NotThere

LOCK_FILE = "jars.lock"
PARALLEL = 6
ATTEMPTS = 3
_TIMEOUT_S = 60

OnBytes = Callable[[int, int], None]
"""Told of bytes fetched so far and in all; called from several threads, one at a time."""


@dataclass(frozen=True)
class Jar:
    """A line of the lock: the Maven coordinate ``group:artifact:packaging[:classifier]:version`` and what it holds."""

    service: str
    coordinate: str
    size_bytes: int
    sha256: str

    @property
    def file_name(self) -> str:
        _, artifact, packaging, *classifier, version = self.coordinate.split(":")
        return "-".join([artifact, version, *classifier]) + f".{packaging}"

    def path_in(self, cache: Path) -> Path:
        return cache / self.sha256[:16] / self.file_name


def locked(text: str | None = None) -> list[Jar]:
    """The jars of the committed lock (or of ``text``), in its order, which is the class path's."""
    if text is None:
        text = resources.files("pipeline.devstack").joinpath(LOCK_FILE).read_text()
    jars = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            service, coordinate, size, digest = line.split()
            jars.append(Jar(service, coordinate, int(size), digest.removeprefix("sha256:")))
    return jars


def ensure(jars: Sequence[Jar], cache: Path, on_bytes: OnBytes | None = None) -> list[Path]:
    """Their files, in order; what is not in the cache is fetched, by one process at a time.

    Raises NotThere when one cannot be fetched or has another sum than the lock's.
    """
    with _only_one(cache):
        missing = [jar for jar in dict.fromkeys(jars) if not jar.path_in(cache).exists()]
        if missing:
            _fetch_all(missing, cache, on_bytes or (lambda done, total: None))
    for jar in jars:
        _check(jar, jar.path_in(cache))
    return [jar.path_in(cache) for jar in jars]


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _only_one(cache: Path) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch_all(jars: Sequence[Jar], cache: Path, on_bytes: OnBytes) -> None:
    total = sum(jar.size_bytes for jar in jars)
    done = 0
    turn = threading.Lock()

    def count(fetched: int) -> None:
        nonlocal done
        with turn:
            done += fetched
            on_bytes(done, total)

    with (
        tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as folder,
        ThreadPoolExecutor(PARALLEL, "fetch") as pool,
    ):
        fetches = {pool.submit(_fetch, jar, Path(folder), cache, count): jar for jar in jars}
        try:
            for fetch in as_completed(fetches):
                fetch.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch(jar: Jar, folder: Path, cache: Path, count: Callable[[int], None]) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        counted = 0

        def counting(fetched: int) -> None:
            nonlocal counted
            counted += fetched
            count(fetched)

        try:
            path = _download(jar.coordinate, folder / f"{jar.sha256[:16]}-{attempt}", counting)
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors, jgo's own are RuntimeErrors
            count(-counted)
            if attempt == ATTEMPTS:
                raise NotThere(
                    f"{jar.coordinate} cannot be fetched ({error}): look at the network, or name a Maven mirror in "
                    "~/.config/jgo.conf, then say transferscope stack up again"
                ) from error
            continue
        _check(jar, path)
        target = jar.path_in(cache)
        target.parent.mkdir(exist_ok=True)
        os.replace(path, target)
        return


def _download(coordinate: str, repository: Path, counting: Callable[[int], None]) -> Path:
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext, PythonResolver

    @contextmanager
    def progress(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield counting

    context = MavenContext(
        resolver=PythonResolver(progress_callback=progress),
        repo_cache=repository,
        remote_repos=GlobalSettings.load().repositories or {"central": MAVEN_CENTRAL_URL},
        timeout=_TIMEOUT_S,
    )
    path = context.create_dependency(coordinate).artifact.resolve()
    assert isinstance(path, Path)
    return path


def _check(jar: Jar, path: Path) -> None:
    found = sha256_of(path)
    if found != jar.sha256:
        raise NotThere(
            f"{jar.coordinate} is not the jar of jars.lock (its SHA-256 is {found[:16]}…, not {jar.sha256[:16]}…): "
            f"remove {path.parent} and find out who served or changed it before you start again"
        )
