"""What goes wrong inside of PostgreSQL, and what its administrators and other users do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from random import Random
from urllib.parse import urlsplit

from tests.chaos.scene import Play, Scene
from tests.chaos.schedule import Fault
from tests.support.database import Database

_TIMES = 3
_EARLY = ("store.start", "store.transfer")
_LATE = ("store.link_10m", "store.link_1d", "store.source_10m")
"""Tables in the order in which a batch is written."""
_WAITS = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation' AND relation = %s::regclass"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_POLL_S = 0.05
_POLLS = 40
_END = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = %s AND application_name LIKE 'transferscope%%'"
)


class _Administrator:
    """Somebody whose own connection is to another database, and stays."""

    def __init__(self, scene: Scene) -> None:
        parts = urlsplit(scene.database_url)
        self._name = parts.path.removeprefix("/")
        self._database = Database(parts._replace(path="/postgres").geturl())

    def alter(self, what: str) -> None:
        """Change the run's database; everybody has to begin anew then."""
        self._database.ask(f'ALTER DATABASE "{self._name}" {what}')
        self.end_sessions()

    def end_sessions(self) -> None:
        """Those of the processes under test."""
        self._database.ask(_END, [self._name])

    def close(self) -> None:
        self._database.close()


def _altered(now: str, afterwards: str) -> Play:
    @contextmanager
    def play(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
        with closing(_Administrator(scene)) as administrator:
            administrator.alter(now)
            try:
                yield
            finally:
                administrator.alter(afterwards)

    return play


@contextmanager
def sessions_ended(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
    with closing(_Administrator(scene)) as administrator:
        for number in range(_TIMES):
            scene.later(fault.lasts_s * number / _TIMES, administrator.end_sessions)
        yield
        administrator.end_sessions()


@contextmanager
def tables_locked(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
    with closing(Database(scene.database_url)) as somebody:
        somebody.ask("BEGIN")
        somebody.ask(f"LOCK TABLE {rng.choice(_EARLY)}, {rng.choice(_LATE)} IN EXCLUSIVE MODE")
        yield


@contextmanager
def lock_timeouts(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
    impatient = _altered("SET lock_timeout = '100ms'", "RESET lock_timeout")
    with impatient(scene, fault, rng), tables_locked(scene, fault, rng):
        yield


@contextmanager
def deadlocks(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
    early, late = rng.choice(_EARLY), rng.choice(_LATE)
    is_enough = threading.Event()

    def cross() -> None:
        with closing(Database(scene.database_url)) as rival, closing(Database(scene.database_url)) as watcher:
            rival.ask("SET deadlock_timeout = '1min'")  # whoever notices first is the victim: not we
            while not is_enough.is_set():
                rival.ask("BEGIN")
                rival.ask(f"LOCK TABLE {late} IN EXCLUSIVE MODE")
                for _ in range(_POLLS):
                    if watcher.value(_WAITS, [late]) or is_enough.wait(_POLL_S):
                        rival.ask(f"LOCK TABLE {early} IN EXCLUSIVE MODE")
                        break
                rival.ask("ROLLBACK")

    thread = threading.Thread(target=cross, name="rival")
    thread.start()
    try:
        yield
    finally:
        is_enough.set()
        thread.join()


@contextmanager
def disk_full(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
    assert scene.site.disk is not None, "asked for before"
    with scene.site.disk.full():
        yield


PLAYS: dict[str, Play] = {
    "sessions-ended": sessions_ended,
    "tables-locked": tables_locked,
    "lock-timeouts": lock_timeouts,
    "deadlocks": deadlocks,
    "postgres-read-only": _altered("SET default_transaction_read_only = on", "RESET default_transaction_read_only"),
    "postgres-refusing": _altered("ALLOW_CONNECTIONS false", "ALLOW_CONNECTIONS true"),
    "disk-full": disk_full,
}
