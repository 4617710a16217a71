"""Loading a topology from files and addresses, once or again and again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from pipeline.cli.audited import audited, note
from pipeline.cli.errors import CommandError, ConfigurationError
from pipeline.cli.output import say
from pipeline.cli.terminal import safe
from pipeline.ingest.fetch import NotFetched
from pipeline.ingest.pages import fetch_whole
from pipeline.ingest.topologies import Loaded, load_topology, newest_topology
from pipeline.store.session import Connection, Unavailable, connect
from pipeline.store.topologies import Copy, InUse, copy_of
from pipeline.topology.compose import Dump
from pipeline.topology.model import TopologyError
from pipeline.topology.resolve import Topology
from pipeline.units import count, duration, moment

SHOWN_WARNINGS = 20


class Order(NamedTuple):
    """What to load: files and addresses, the format and VO as for ``Dump``.

    ``at_ms``: when dumps begin to hold, None for the moment of the load.
    """

    sources: Sequence[str]
    at_ms: int | None = None
    form: str = ""
    vo: str = ""
    force: bool = False


def load_once(database_url: str, order: Order, *, use_copies: bool = False) -> Loaded:
    """Take the topology of files and addresses into use.

    ``use_copies``: where an address cannot be had, its last good copy serves. Raises TopologyError,
    ConfigurationError, NotFetched, Unavailable.
    """
    with closing(connect(database_url)) as connection:
        dumps, copies, old = [], [], 0
        for source in order.sources:
            content = _read_file(source)
            if content is None:
                copy, is_old = _fetched(connection, source, use_copies)
                content = copy.content
                if is_old:
                    old += 1
                else:
                    copies.append(copy)
            dumps.append(Dump(source, content, order.form, order.vo))
        at_ms = time.time_ns() // 1_000_000 if order.at_ms is None else order.at_ms
        return load_topology(connection, dumps, at_ms, force=order.force, copies=copies, confirmed=old == 0)


def load_and_warn(database_url: str, order: Order) -> Loaded:
    """As ``load_once``, and tells what somebody should look at."""
    with audited(database_url, "load topology", ", ".join(order.sources)):
        loaded = load_once(database_url, order)
    _warn(loaded.warnings)
    return loaded


def load_every(
    database_url: str, order: Order, pause_s: float, stop: threading.Event, told: Callable[[Loaded], None]
) -> None:
    """Load now and then every ``pause_s`` seconds until ``stop`` is set; ``told`` gets what each load did.

    What cannot be had or used this time is said, and the topology in use stays; only what is wrong with the command
    itself ends it, at the first load. The loads run in a thread that is left where it stands when ``stop`` is set:
    one that waits for a silent server or a lock must not keep the process from ending, and what it has not committed
    is undone by PostgreSQL.
    """
    crash: list[Exception] = []

    def work() -> None:
        seen: tuple[str, ...] = ()
        is_first = True
        try:
            while not stop.is_set():
                try:
                    loaded = load_once(database_url, order, use_copies=True)
                    if loaded.warnings != seen:
                        _warn(loaded.warnings)
                        seen = loaded.warnings
                    if loaded.is_new:
                        note(database_url, "load topology", f"revision {loaded.revision}: {', '.join(order.sources)}")
                    told(loaded)
                except (TopologyError, NotFetched, Unavailable, CommandError) as error:
                    if is_first and isinstance(error, ConfigurationError):
                        raise
                    say(f"{error}; the topology in use stays")
                is_first = False
                stop.wait(pause_s)
        except Exception as error:  # noqa: BLE001 - carried to the thread that waits
            crash.append(error)
        finally:
            stop.set()

    threading.Thread(target=work, name="topology", daemon=True).start()
    stop.wait()
    if crash:
        raise crash[0]


def sentence(loaded: Loaded) -> str:
    """What a load did, for people."""
    if not loaded.is_new:
        return f"revision {loaded.revision} was in use already"
    return (
        f"revision {loaded.revision} is in use, {count(loaded.changes)} entries differ, "
        f"{count(loaded.stale)} windows of 10 minutes became stale"
    )


def age_sentence(state: InUse) -> str:
    """Revision, source and age, for people."""
    age = duration(state.age_s * 1000)
    return f"topology revision {state.revision} of {moment(state.loaded_at)}, confirmed {age} ago: {safe(state.source)}"


def newest(database_url: str) -> Topology:
    """The topology in use; the empty one, revision 0, when none was loaded. Raises Unavailable."""
    with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
        return newest_topology(cursor)


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings[:SHOWN_WARNINGS]:
        say(warning)
    if len(warnings) > SHOWN_WARNINGS:
        say(f"and {count(len(warnings) - SHOWN_WARNINGS)} more of that kind: --json has all of them")


def _read_file(source: str) -> bytes | None:
    """The content of a file; None for an address."""
    if source.lower().startswith(("http://", "https://")):
        return None
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"the topology {source} cannot be read: {error.strerror or error}") from error


def _fetched(connection: Connection, address: str, use_copies: bool) -> tuple[Copy, bool]:
    """What an address gives, and whether that is its last good copy because it cannot be had."""
    with connection, connection.cursor() as cursor:
        known = copy_of(cursor, address)
    try:
        fetched = fetch_whole(address, known.etag, known.last_modified) if known else fetch_whole(address)
    except NotFetched as error:
        if known is None or not use_copies:
            raise
        say(f"{error}; its last good copy is used")
        return known, True
    if fetched is None:
        assert known is not None
        return known, False
    return Copy(address, fetched.etag, fetched.last_modified, fetched.content), False
