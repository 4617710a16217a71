"""What has to be done now and then and by one process alone: partitions made ahead, what is too old dropped and
forgotten, histograms put together.

Every step is a transaction, or several, that leaves the store right wherever it ends: a housekeeper that is killed is
followed by one that does the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple, TypeVar

import psycopg2
from psycopg2.extensions import connection as Connection

from pipeline.store import audit, forgetting, locks, outbox, retention
from pipeline.store.folding import Folding
from pipeline.store.partitions import DAY_MS, Partitions
from pipeline.store.retention import Retention
from pipeline.store.session import AWAY, LETS_GO, YIELDS, Unavailable, connect, service_address

log = logging.getLogger(__name__)

AHEAD_DAYS = 3
"""So many days after today have their partitions, and with them the months and years that these days begin."""

_ALONE = 0x7473_686B

T = TypeVar("T")


class Done(NamedTuple):
    """What a run did: partitions dropped, dead letters emptied, rows pruned, rows that histograms have fewer."""

    dropped: int = 0
    emptied: int = 0
    pruned: int = 0
    folded: int = 0


class Housekeeper:
    """The whole house, in order. Not for several threads at once; several processes take turns."""

    def __init__(
        self, database_url: str, kept: Retention, clock: Callable[[Connection], int] = retention.database_clock
    ) -> None:
        """``clock`` tells the time that ages are counted from, ms since the epoch: that of the database, which all
        housekeepers share."""
        self._url = database_url
        self._kept = kept
        self._clock = clock
        self._folding = Folding()

    def run(self) -> Done:
        """Do what there is to do, unless another housekeeper is at it. Raises Unavailable."""
        try:
            with closing(connect(self._url, "transferscope housekeeper", f"{YIELDS} {LETS_GO}")) as connection:
                return self._keep_house(connection) if locks.take_turn(connection, _ALONE) else Done()
        except AWAY as error:
            raise Unavailable("PostgreSQL", service_address(self._url), str(error)) from error

    def _keep_house(self, connection: Connection) -> Done:
        now_ms = self._clock(connection)
        oldest = self._kept.oldest(now_ms)
        today_ms = now_ms - now_ms % DAY_MS
        ahead = [today_ms + number * DAY_MS for number in range(AHEAD_DAYS + 1)]
        _try("partitions ahead", lambda: Partitions().ensure(connection, ahead), None)
        dropped = _try("dropping", lambda: retention.drop(connection, oldest), 0)
        emptied = _try("dead letters", lambda: forgetting.empty_dead_letters(connection, oldest.raw_ms), 0)
        pruned = _try("what is known of messages", lambda: forgetting.prune_heard(connection, oldest.base_ms), 0)
        if dropped:
            pruned += _try("wide keys", lambda: forgetting.prune_wide_keys(connection), 0)
        pruned += _try("final windows", lambda: forgetting.prune_finals(connection, oldest.hourly_ms), 0)
        pruned += _try("the outbox", lambda: _prune_outbox(connection), 0)
        pruned += _try("the audit", lambda: audit.forget(connection), 0)
        return Done(dropped, emptied, pruned, self._folding.run(connection))


def _prune_outbox(connection: Connection) -> int:
    with connection, connection.cursor() as cursor:
        return outbox.prune(cursor)


def _try(what: str, step: Callable[[], T], nothing: T) -> T:
    """A step that would keep others waiting is left for the next run, which finds what this one did not do."""
    try:
        return step()
    except (psycopg2.errors.DeadlockDetected, psycopg2.errors.LockNotAvailable) as error:
        log.info("%s: the rest is done another time: %s", what, str(error).strip().splitlines()[0])
        return nothing
