"""Connections for readers: few, kept open, read-only, each statement ended after a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from time import perf_counter
from typing import Any

from psycopg2 import errors

from pipeline.store.activity import web_application
from pipeline.store.session import AWAY, Connection, Cursor, Unavailable, connect, service_address


class Busy(Exception):
    """All connections are in use, and none came back in time."""


class TooSlow(Exception):
    """A statement was ended because it took longer than the time-out."""


class Readers:
    """At most ``size`` connections, made when they are needed. A broken one is thrown away.

    ``address`` is where the readers' process listens: its connections tell it to ``activity``. ``took`` is told how
    many seconds each statement took. ``in_use`` is how many connections are lent.
    """

    def __init__(
        self,
        database_url: str,
        size: int,
        timeout_s: float,
        address: str = "",
        took: Callable[[float], None] | None = None,
    ) -> None:
        self._url = database_url
        self._application = web_application(address)
        self._options = (
            f"-c statement_timeout={int(timeout_s * 1000)} -c default_transaction_read_only=on"
            " -c work_mem=32MB"  # sums of 20 000 links at once, which would else go by way of the disk
        )
        self._free: list[Connection] = []
        self._lock = Lock()
        self._seats = BoundedSemaphore(size)
        self._wait_s = timeout_s
        self._cursor = None if took is None else _timing(took)
        self.in_use = 0

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection for one reader at a time.

        Raises Busy, Unavailable (the server is away) and TooSlow.
        """
        if not self._seats.acquire(timeout=self._wait_s):
            raise Busy
        try:
            self._count(1)
            yield from self._lent()
        finally:
            self._count(-1)
            self._seats.release()

    def _count(self, number: int) -> None:
        with self._lock:
            self.in_use += number

    def close(self) -> None:
        """Closes what is not in use."""
        with self._lock:
            while self._free:
                self._free.pop().close()

    def _lent(self) -> Iterator[Connection]:
        connection = self._take()
        try:
            yield connection
        except errors.QueryCanceled as error:
            raise TooSlow from error
        except AWAY as error:
            connection.close()
            raise Unavailable("PostgreSQL", service_address(self._url), str(error)) from error
        finally:
            self._give_back(connection)

    def _take(self) -> Connection:
        with self._lock:
            if self._free:
                return self._free.pop()
        connection = connect(self._url, self._application, self._options)
        if self._cursor is not None:
            connection.cursor_factory = self._cursor
        return connection

    def _give_back(self, connection: Connection) -> None:
        if connection.closed:
            return
        try:
            connection.rollback()  # whatever the reader left open
        except AWAY:
            connection.close()
            return
        with self._lock:
            self._free.append(connection)


def _timing(took: Callable[[float], None]) -> type[Cursor]:
    class Timing(Cursor):
        def execute(self, query: Any, vars: Any = None) -> None:
            began = perf_counter()
            try:
                super().execute(query, vars)
            finally:
                took(perf_counter() - began)

    return Timing
