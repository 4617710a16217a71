"""PostgreSQL away, busy or in another's hands: the writer says so, or tries again, and counts each message once."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

from pipeline.ingest import BatchResult, Ingest
from pipeline.stages.decide import Effects, decide
from pipeline.store import migrations, session, transaction, versions
from pipeline.store.finality import Passes
from pipeline.store.outbox import Outbox, Taken
from pipeline.store.session import Unavailable, connect
from schemas.topics import FTS_COMPLETE, FTS_START
from tests.support.database import Database
from tests.support.fts_messages import complete_fields, raw, start_fields
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

BATCH = [raw(FTS_START, start_fields(), identity="1"), raw(FTS_COMPLETE, complete_fields(), identity="2")]
STORED = BatchResult(received=2, stored=2, duplicate=0, dead=0)
AGAIN = BatchResult(received=2, stored=0, duplicate=2, dead=0)
WRITERS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'transferscope writer'"
)
WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE application_name = 'transferscope writer' AND wait_event_type = 'Lock'"
    " AND datname = current_database()"
)


def end_writers(database: Database) -> None:
    database.ask(f"{WRITERS} AND datname = current_database()")


def assert_counted_once(database: Database) -> None:
    assert database.ask("SELECT started, ok, bytes FROM report.link_10m") == [(1, 1, 1000)]
    assert database.ask("SELECT start_message_at IS NOT NULL FROM report.transfer") == [(True,)]


def nobody_listens(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.replace(f":{parts.port}", ":1")).geturl()


@pytest.mark.parametrize(
    "use",
    [
        lambda url: Ingest(url).process(BATCH),
        lambda url: Ingest(url).refresh(),
        connect,
        migrations.upgrade,
        versions.current,
    ],
)
def test_a_server_that_is_not_there_is_named_without_its_password(use: Callable[[str], Any], database_url: str) -> None:
    away = nobody_listens(database_url)
    with pytest.raises(Unavailable, match=r"PostgreSQL at 127\.0\.0\.1:1/") as told:
        use(away)
    assert "passfile" not in str(told.value)


@pytest.mark.parametrize("use", [Ingest.refresh, lambda ingest: ingest.process(BATCH)])
def test_a_connection_that_was_ended_meanwhile_is_told_once_and_then_made_anew(
    use: Callable[[Ingest], Any], ingest: Ingest, database: Database
) -> None:
    ingest.refresh()
    end_writers(database)
    with pytest.raises(Unavailable, match="PostgreSQL at"):
        use(ingest)
    use(ingest)
    assert ingest.process(BATCH) in (STORED, AGAIN)
    assert_counted_once(database)


def take_no_changes(database: Database, *, so_it_is: bool) -> None:
    """As a stand-by does, or a primary after a failover to another server; everybody begins anew."""
    how = "SET default_transaction_read_only = on" if so_it_is else "RESET default_transaction_read_only"
    database.ask(f"ALTER DATABASE {urlsplit(database.url).path[1:]} {how}")
    end_writers(database)


def test_a_server_that_takes_no_changes_is_away_as_long_as_it_does_not(ingest: Ingest, database: Database) -> None:
    ingest.refresh()
    take_no_changes(database, so_it_is=True)
    with pytest.raises(Unavailable):  # the session is ended
        ingest.process(BATCH)
    with pytest.raises(Unavailable, match="read-only"):
        ingest.refresh()
    with pytest.raises(Unavailable, match="read-only"):
        ingest.process(BATCH)
    with pytest.raises(Unavailable, match="read-only"):
        Outbox(database.url).done(Taken([1], []))
    take_no_changes(database, so_it_is=False)
    assert ingest.process(BATCH) == STORED
    assert_counted_once(database)


def test_progress_that_cannot_be_read_is_an_outage(database: Database) -> None:
    with closing(connect(database.url)) as other:
        other.cursor().execute("LOCK TABLE store.progress IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Unavailable, match="lock"):
            Passes(database.url).progress()


def test_a_host_that_falls_silent_is_given_up_by_both_sides_within_half_a_minute(database: Database) -> None:
    with closing(connect(database.url)) as connection, connection.cursor() as cursor:
        with socket.socket(fileno=os.dup(connection.fileno())) as ours:
            assert 0 < ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 30_000
            client = [
                ours.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            ]
        cursor.execute("SELECT name, setting::int FROM pg_settings WHERE name LIKE 'tcp\\_%'")
        server = dict(cursor.fetchall())
    assert 0 < server["tcp_user_timeout"] <= 30_000
    for idle_s, interval_s, count in (client, [server[f"tcp_keepalives_{n}"] for n in ("idle", "interval", "count")]):
        assert 0 < idle_s + interval_s * count <= 30


def test_a_batch_whose_connection_ends_while_it_is_written_can_be_committed_again(
    ingest: Ingest, database: Database
) -> None:
    with closing(connect(database.url)) as other, ThreadPoolExecutor(1) as pool:
        # The last table that a batch writes: all else is written when it waits here.
        other.cursor().execute("LOCK TABLE store.freshness IN EXCLUSIVE MODE")
        batch = pool.submit(ingest.process, BATCH)
        eventually(lambda: database.value(WAITING) == 1)
        end_writers(database)
        with pytest.raises(Unavailable):
            batch.result(timeout=30)
    assert database.value("SELECT count(*) FROM report.transfer") == 0
    assert ingest.process(BATCH) == STORED
    assert_counted_once(database)


def test_a_batch_that_may_not_wait_any_longer_for_a_lock_is_tried_again(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.ask(f"ALTER DATABASE {urlsplit(database.url).path[1:]} SET lock_timeout = '50ms'")
    caplog.set_level(logging.WARNING)
    with (
        closing(Ingest(database.url)) as ingest,
        closing(connect(database.url)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        ingest.refresh()
        other.cursor().execute("LOCK TABLE store.freshness IN EXCLUSIVE MODE")
        batch = pool.submit(ingest.process, BATCH)
        eventually(lambda: "tried again" in caplog.text)
        other.rollback()
        assert batch.result(timeout=60) == STORED
    assert_counted_once(database)


def test_a_lock_that_is_never_given_up_is_an_outage_in_the_end(database: Database) -> None:
    database.ask(f"ALTER DATABASE {urlsplit(database.url).path[1:]} SET lock_timeout = '1ms'")
    with closing(Ingest(database.url)) as ingest, closing(connect(database.url)) as other:
        ingest.refresh()
        other.cursor().execute("LOCK TABLE store.freshness IN EXCLUSIVE MODE")
        with pytest.raises(Unavailable, match="lock"):
            ingest.process(BATCH)
        other.rollback()
        assert ingest.process(BATCH) == STORED


def test_tables_that_are_not_as_they_should_be_stop_the_writer_and_no_message_is_lost(
    ingest: Ingest, database: Database
) -> None:
    ingest.refresh()
    database.ask("ALTER TABLE store.transfer RENAME COLUMN ipver TO elsewhere")
    with pytest.raises(psycopg2.ProgrammingError):
        ingest.process(BATCH)
    database.ask("ALTER TABLE store.transfer RENAME COLUMN elsewhere TO ipver")
    assert ingest.process(BATCH) == STORED
    assert database.value("SELECT count(*) FROM report.dead_letter") == 0


def test_a_writer_that_is_stopped_in_the_middle_of_a_batch_holds_nobody_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LETS_GO", "-c idle_in_transaction_session_timeout=2s")
    is_stopped, may_go_on = threading.Event(), threading.Event()

    def stop_once(*arguments: Any) -> Effects:
        if not is_stopped.is_set():
            is_stopped.set()
            may_go_on.wait(60)
        return decide(*arguments)

    monkeypatch.setattr(transaction, "decide", stop_once)
    with (
        closing(Ingest(database.url)) as stopped,
        closing(Ingest(database.url)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        stopped.refresh()
        batch = pool.submit(stopped.process, BATCH)
        assert is_stopped.wait(30)
        monkeypatch.undo()
        assert other.process(BATCH) == STORED
        may_go_on.set()
        with pytest.raises(Unavailable):
            batch.result(timeout=30)
        assert stopped.process(BATCH) == AGAIN
    assert_counted_once(database)


def test_two_writers_with_one_transfer_wait_for_each_other(database: Database) -> None:
    """The start in one, the complete in the other, both at once, many times: never two that see nothing to pair."""
    rounds, barrier = 30, threading.Barrier(2)

    def write(kind: str) -> None:
        fields = start_fields if kind == FTS_START else complete_fields
        with closing(Ingest(database.url)) as ingest:
            for number in range(rounds):
                name = "transfer_id" if kind == FTS_START else "tr_id"
                message = raw(kind, fields(file_id=number, **{name: f"id-{number}"}), identity=f"{kind}:{number}")
                barrier.wait(timeout=60)
                ingest.process([message])

    with ThreadPoolExecutor(2) as pool:
        for writer in [pool.submit(write, kind) for kind in (FTS_START, FTS_COMPLETE)]:
            writer.result(timeout=120)
    assert database.ask("SELECT count(*), count(start_message_at) FROM report.transfer") == [(rounds, rounds)]
    assert database.value("SELECT count(*) FROM report.in_flight") == 0
