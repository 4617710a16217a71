"""One batch in one transaction: lock, load, decide, write, commit, and what its failures mean.

The order, and what a death there leaves behind:

1. partitions and link numbers, in transactions of their own: a spare partition or number harms nobody;
2. locks (``locks.py``): they go with the connection;
3. load, decide, write: nothing is visible before the commit;
4. commit: the batch is there, whole. The offset that follows is a hint: sent or not, the same batch
   comes out as duplicates.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg2
from psycopg2 import errorcodes
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.stages.decide import Effects, decide
from pipeline.stages.enrich import Enriched
from pipeline.store import finality, flow_rows, locks, programs, session, settings, state, window_rows, writer
from pipeline.store.links import Keys
from pipeline.store.partitions import Partitions
from pipeline.store.session import AWAY, Unavailable, connect, service_address
from pipeline.telemetry.watch import Laps, Watch

log = logging.getLogger(__name__)

_AGAIN = {
    errorcodes.DEADLOCK_DETECTED,
    errorcodes.SERIALIZATION_FAILURE,
    errorcodes.LOCK_NOT_AVAILABLE,
}
_MOST_TRIES = 8
# The batch's keys are looked up by index, whatever a fresh table's missing statistics suggest.
_PLANS = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c enable_bitmapscan=off"


class Refused(Exception):
    """Postgres will not take what a batch of these messages makes; ``why`` is its own sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Outdated(Exception):
    """The batch was prepared with a topology or a raw floor that is no longer in use."""


class Counts(NamedTuple):
    """What became of a batch's messages."""

    stored: int
    duplicate: int
    dead: int


class Store:
    """A writer's connection to Postgres. Not for several threads at once."""

    def __init__(self, database_url: str, address: str, watch: Watch) -> None:
        """``address``: where the process that writes can be asked how it is; others find it in ``activity``.
        ``watch`` is told how long the stages of a batch took."""
        self._url = database_url
        self._application = f"transferscope writer {address}".rstrip()
        self._watch = watch
        self._connection: Connection | None = None
        self._keys = Keys()
        self._partitions = Partitions()

    def connection(self) -> Connection:
        """The connection, made anew when the last one is gone. Raises Unavailable."""
        if self._connection is None or self._connection.closed:
            self._connection = None
            made = connect(self._url, self._application, f"{_PLANS} {session.LETS_GO}")
            try:
                with made, made.cursor() as cursor:
                    cursor.execute(window_rows.TEMPORARY)
                    cursor.execute(flow_rows.TEMPORARY)
            except psycopg2.Error:
                made.close()
                raise
            self._connection = made
        return self._connection

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """A cursor in a transaction of its own. Raises Unavailable."""
        try:
            with self.connection() as connection, connection.cursor() as cursor:
                yield cursor
        except AWAY as error:
            self.close()
            why = error.__context__ or error  # a rollback on a connection that is gone hides what ended it
            raise Unavailable("PostgreSQL", service_address(self._url), str(why)) from error

    def close(self) -> None:
        """Give the connection back; a later call makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def commit(self, batch: Enriched) -> Counts:
        """Write one batch.

        Raises Unavailable when Postgres is away, Refused when it will not take the rows, Outdated when the batch must
        be prepared anew, Superseded when the tables have become too new for this program.
        """
        for attempt in range(1, _MOST_TRIES + 1):
            try:
                return self._commit_once(batch)
            except psycopg2.Error as error:
                self._undo()
                if error.pgcode in _AGAIN and attempt < _MOST_TRIES:
                    log.warning("batch is tried again: %s", str(error).strip().splitlines()[0])
                    time.sleep(random.uniform(0, 0.05 * 2**attempt))
                elif error.pgcode == errorcodes.CHECK_VIOLATION and attempt == 1:
                    self._partitions.forget()  # a partition that was there is gone
                elif _is_refusal(error):
                    raise Refused(str(error).strip()) from error
                elif isinstance(error, psycopg2.ProgrammingError):
                    raise  # no message does that: rights or tables are missing
                else:
                    self.close()
                    raise Unavailable("PostgreSQL", service_address(self._url), str(error)) from error
        raise AssertionError("the last attempt returns or raises")

    def _commit_once(self, batch: Enriched) -> Counts:
        connection = self.connection()
        laps = Laps(self._watch)
        self._partitions.ensure(connection, [day * locks.DAY_MS for day in locks.days_of(batch)])
        numbers = self._keys.numbers(connection, batch)
        laps.end("number")
        with connection, connection.cursor() as cursor:
            locks.lock_batch(cursor, batch)
            programs.admit(cursor)
            if settings.in_use(cursor) != (batch.topology_revision, batch.raw_floor_ms):
                raise Outdated
            laps.end("lock")
            known = state.load(cursor, batch)
            laps.end("load")
            effects = decide(batch, known)
            laps.end("decide")
            writer.write(cursor, effects, numbers, batch.topology_revision)
            finality.add_progress(cursor, batch.progress)
            laps.end("write")
        laps.end("commit")
        return _counts(batch, effects)

    def _undo(self) -> None:
        try:
            if self._connection is not None and not self._connection.closed:
                self._connection.rollback()
        except psycopg2.Error:
            self.close()


def _is_refusal(error: psycopg2.Error) -> bool:
    """Whether it is the rows that Postgres will not take: their values, a constraint, a key too long for an index."""
    too_long = (error.pgcode or "").startswith(errorcodes.CLASS_PROGRAM_LIMIT_EXCEEDED)
    return too_long or isinstance(error, psycopg2.DataError | psycopg2.IntegrityError)


def _counts(batch: Enriched, effects: Effects) -> Counts:
    stored = len(effects.starts) + len(effects.completes) + len(effects.states) + effects.reports
    used = len(batch.starts) + len(batch.completes) + len(batch.states) + len(batch.reports)
    return Counts(stored, used - stored, len(batch.dead))
