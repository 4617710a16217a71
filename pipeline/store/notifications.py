"""Who was told of which alert, and when: one row an alert and channel, so that a restart forgets nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from pipeline.stages.alert_notices import News, Notice, Policy, may_tell, news
from pipeline.store.session import AWAY, Unavailable, connect, service_address

_ALONE = 0x7473_6E6F
_COLUMNS = "a.id, a.rule, a.subject, a.raised_at, a.cleared_at, a.value, a.threshold, a.detail, n.told_at"
_OPEN = f"""
SELECT {_COLUMNS} FROM report.alert AS a
LEFT JOIN store.notification AS n ON n.alert_id = a.id AND n.channel = %s
WHERE a.cleared_at IS NULL AND (a.silenced_until IS NULL OR a.silenced_until <= %s) ORDER BY a.raised_at, a.id
"""
_CLEARED = f"""
SELECT {_COLUMNS} FROM store.notification AS n JOIN report.alert AS a ON a.id = n.alert_id
WHERE n.channel = %s AND n.cleared_told_at IS NULL AND a.cleared_at IS NOT NULL ORDER BY a.cleared_at, a.id
"""
_SENT = """
SELECT told_at FROM store.notification WHERE channel = %(channel)s
UNION SELECT cleared_told_at FROM store.notification WHERE channel = %(channel)s AND cleared_told_at IS NOT NULL
ORDER BY 1 DESC LIMIT %(most)s
"""
_TOLD = """
INSERT INTO store.notification (alert_id, channel, told_at) SELECT unnest(%s::bigint[]), %s, %s
ON CONFLICT (alert_id, channel) DO UPDATE SET told_at = excluded.told_at
"""
_TOLD_CLEARED = "UPDATE store.notification SET cleared_told_at = %s WHERE channel = %s AND alert_id = ANY(%s)"


class Notifications:
    """What a channel has to tell, as the one process that tells it sees it. Not for several threads at once.

    Of several processes one has the turn of a channel: two would tell everything twice.
    """

    def __init__(self, database_url: str, channel: str, policy: Policy) -> None:
        self._url = database_url
        self._channel = channel
        self._policy = policy
        self._connection: Connection | None = None
        self._has_turn = False

    def due(self, now: datetime) -> News | None:
        """What is to be told now; None: nothing, or another process tells it. Raises Unavailable."""
        try:
            with self._cursor() as cursor:
                if not self._has_turn:
                    cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_ALONE, self._channel))
                    self._has_turn = cursor.fetchone() == (True,)
                return self._news(cursor, now) if self._has_turn else None
        except AWAY as error:
            raise self._away(error) from error

    def told(self, found: News, at: datetime) -> None:
        """All of it was told. Raises Unavailable; it is then told again."""
        try:
            with self._cursor() as cursor:
                cursor.execute(_TOLD, (_ids((*found.raised, *found.lasting)), self._channel, at))
                cursor.execute(_TOLD_CLEARED, (at, self._channel, _ids(found.cleared)))
        except AWAY as error:
            raise self._away(error) from error

    def close(self) -> None:
        """Give the connection and the turn back."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._has_turn = None, False

    def _news(self, cursor: Cursor, now: datetime) -> News | None:
        cursor.execute(_OPEN, (self._channel, now))
        open_ = [Notice(*row) for row in cursor.fetchall()]
        cursor.execute(_CLEARED, (self._channel,))
        found = news(open_, [Notice(*row) for row in cursor.fetchall()], self._policy, now)
        if found is None:
            return None
        cursor.execute(_SENT, {"channel": self._channel, "most": self._policy.prompt})
        return found if may_tell([at for (at,) in cursor.fetchall()], self._policy, now) else None

    def _cursor(self) -> Cursor:
        if self._connection is None:
            self._connection = connect(self._url, "transferscope alerts")
            self._connection.autocommit = True  # a mail may take its time: no transaction is open meanwhile
        return self._connection.cursor()

    def _away(self, error: psycopg2.Error) -> Unavailable:
        self.close()
        return Unavailable("PostgreSQL", service_address(self._url), str(error))


def _ids(notices: Sequence[Notice]) -> list[int]:
    return [each.id for each in notices]
