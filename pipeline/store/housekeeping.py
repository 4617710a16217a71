"""What has to be done now and then and by one process alone: histograms that lie about in pieces are put together.

Each batch appends the bins that it adds to a window (``window_rows``): cheap to write, dear to read. Putting the pieces
of a window together changes no sum, so readers, ``verify`` and writers need not know of it. It shares the day with the
writers, because ``recompute``, which owns it, replaces all pieces.
"""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import UTC, datetime

import psycopg2
from psycopg2.extensions import connection as Connection

from pipeline.store import locks, outbox
from pipeline.store.session import Unavailable, connect, service_address

log = logging.getLogger(__name__)

_ALONE = 0x7473_686B
_DAY_S = 86_400

_DAYS = """
SELECT right(s.relname, 8), s.n_tup_ins FROM pg_stat_user_tables AS s
WHERE s.schemaname = 'store' AND s.relname ~ '^link_hist_p[0-9]{8}$' ORDER BY 1
"""
_FOLD = """
WITH pieces AS (
    SELECT window_start, link_id FROM store.link_hist
    WHERE window_start >= %(begin)s AND window_start < %(end)s GROUP BY 1, 2 HAVING count(*) > 1
), gone AS (
    DELETE FROM store.link_hist AS h USING pieces AS p
    WHERE h.window_start = p.window_start AND h.link_id = p.link_id
        AND h.window_start >= %(begin)s AND h.window_start < %(end)s
    RETURNING h.window_start, h.link_id, h.codes, h.counts
), sums AS (
    SELECT g.window_start, g.link_id, u.code, sum(u.n)::integer AS n
    FROM gone AS g, unnest(g.codes, g.counts) AS u(code, n) GROUP BY 1, 2, 3
), whole AS (
    INSERT INTO store.link_hist (window_start, link_id, codes, counts)
    SELECT window_start, link_id, array_agg(code ORDER BY code), array_agg(n ORDER BY code) FROM sums
    GROUP BY 1, 2 ORDER BY 2, 1
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM whole)
"""


class Housekeeper:
    """Remembers which days have been written to since it last looked, so that quiet days cost nothing."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._inserted: dict[str, int] = {}

    def run(self) -> int:
        """Do what there is to do, unless another housekeeper is at it; how many rows there are fewer.

        Raises Unavailable.
        """
        try:
            with closing(connect(self._url, "transferscope housekeeper")) as connection:
                return self._keep_house(connection)
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            raise Unavailable("PostgreSQL", service_address(self._url), str(error)) from error

    def _keep_house(self, connection: Connection) -> int:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (_ALONE,))  # goes with the connection
            if cursor.fetchone() != (True,):
                return 0
            outbox.prune(cursor)
            cursor.execute(_DAYS)
            days = cursor.fetchall()
        connection.autocommit = False
        return sum(self._fold_day(connection, day, inserted) for day, inserted in days)

    def _fold_day(self, connection: Connection, day: str, inserted: int) -> int:
        if self._inserted.get(day) == inserted:
            return 0
        begin_s = int(datetime.strptime(f"{day} +0000", "%Y%m%d %z").timestamp())
        begin, end = (datetime.fromtimestamp(at, UTC) for at in (begin_s, begin_s + _DAY_S))
        try:
            with connection, connection.cursor() as cursor:
                locks.share_day(cursor, begin_s // _DAY_S)
                cursor.execute(_FOLD, {"begin": begin, "end": end})
                pieces, wholes = cursor.fetchone() or (0, 0)
        except (psycopg2.errors.DeadlockDetected, psycopg2.errors.LockNotAvailable) as error:
            log.info("the histograms of %s are put together another time: %s", day, error)
            return 0
        self._inserted[day] = inserted
        if pieces:
            log.info("histograms of %s: %d rows became %d", day, pieces, wholes)
        return int(pieces - wholes)
