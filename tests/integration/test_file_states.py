"""State messages in the tables: rows, windows, waits, and the starts that they close."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from pipeline.ingest import Ingest
from pipeline.store.recompute import recompute
from pipeline.store.session import connect
from pipeline.store.verify import verify
from pipeline.topology.resolve import Topology
from schemas.envelope import RawMessage
from schemas.topics import FTS_COMPLETE, FTS_START, FTS_STATE
from tests.support.database import Database
from tests.support.fts_messages import HOUR, MINUTE, SECOND, T, complete_fields, raw, start_fields, state_fields

pytestmark = pytest.mark.stack


def state(number: int = 1, **changes: Any) -> RawMessage:
    return raw(FTS_STATE, state_fields(**changes), ref=f"test:{number}", identity=f"id:{number}")


def test_a_state_message_is_a_row_and_a_window(ingest: Ingest, database: Database) -> None:
    ingest.process([state(staging_start=T - 8 * MINUTE, staging_finished=T - 3 * MINUTE, reason="a\tb")])
    assert database.ask(
        "SELECT fts, job_id, file_id, vo, src_host, dst_host, state, reason, wait_ms, staging_ms FROM report.file_state"
    ) == [("fts3.example.org", "job-1", "7", "atlas", "a.x.org", "b.y.org", "ACTIVE", "a\tb", 3 * MINUTE, 5 * MINUTE)]
    ((*window, wait_p50),) = database.ask(
        "SELECT fts, vo, src_host, dst_host, state, count, wait_count, wait_sum, wait_min, wait_max, staging_sum,"
        " report.hist_quantile(wait_hist, 0.5) FROM report.file_state_10m"
    )
    assert window == ["fts3.example.org", "atlas", "a.x.org", "b.y.org", "ACTIVE", 1, 1, *[3 * MINUTE] * 3, 5 * MINUTE]
    assert 3 * MINUTE * 7 / 8 <= wait_p50 <= 3 * MINUTE * 9 / 8
    assert database.ask("SELECT source, received, stored, duplicate, dead FROM report.source_10m") == [
        ("fts3.example.org", 1, 1, 0, 0)
    ]


def test_copies_count_once_whatever_the_batches_and_tell_of_the_first_received(
    ingest: Ingest, database: Database
) -> None:
    late = state(2)._replace(received_ms=T + 2 * HOUR)
    first = ingest.process([late, late])
    second = ingest.process([state(1), late, state(3, file_state="FINISHED", timestamp=T + MINUTE)])
    assert (first.stored, first.duplicate) == (1, 1)
    assert (second.stored, second.duplicate) == (1, 2)
    assert database.ask("SELECT state, count FROM report.file_state_10m ORDER BY 1") == [("ACTIVE", 1), ("FINISHED", 1)]
    assert database.ask("SELECT ref FROM report.file_state ORDER BY event_at") == [("test:1",), ("test:3",)]


@pytest.mark.parametrize("said", ["FINISHED", "FAILED", "CANCELED"])
def test_a_final_state_closes_a_start_that_is_not_younger(ingest: Ingest, database: Database, said: str) -> None:
    ingest.process([raw(FTS_START, start_fields(), identity="start")])
    ingest.process(
        [state(1, file_state=said, timestamp=T - SECOND), state(2, file_state="READY", timestamp=T + SECOND)]
    )
    assert database.ask("SELECT closed_by_state FROM report.in_flight") == [(False,)]
    ingest.process([state(3, file_state=said, timestamp=T + SECOND, endpnt="other.example.org")])
    assert database.ask("SELECT closed_by_state FROM report.in_flight") == [(False,)]
    ingest.process([state(4, file_state=said, timestamp=T)])
    assert database.ask("SELECT lost, closed_by_state FROM report.in_flight") == [(False, True)]
    ingest.process([raw(FTS_COMPLETE, complete_fields(), identity="complete")])
    assert database.ask("SELECT * FROM report.in_flight") == []


def test_a_transfer_tells_the_wait_of_its_own_attempt(ingest: Ingest, database: Database) -> None:
    ingest.process(
        [
            raw(FTS_COMPLETE, complete_fields(), identity="complete"),
            state(1, timestamp=T - 5 * MINUTE, submit_time=T - 6 * MINUTE),
            state(2, timestamp=T + SECOND, submit_time=T - 10 * MINUTE),
            state(3, timestamp=T + 5 * MINUTE, submit_time=T),
        ]
    )
    assert database.ask("SELECT queue_wait_ms FROM report.transfer") == [(10 * MINUTE + SECOND,)]


def test_verify_finds_every_wrong_cell_and_recompute_mends_them(
    ingest: Ingest, database: Database, database_url: str
) -> None:
    rng = Random(5)
    names = ["SUBMITTED", "ACTIVE", "FINISHED"]
    messages = [
        state(
            n,
            file_id=n,
            file_state=rng.choice(names),
            timestamp=T + rng.randrange(3 * HOUR),
            submit_time=T - n * SECOND,
        )
        for n in range(300)
    ]
    rng.shuffle(messages)
    for begin in range(0, 300, 70):
        ingest.process(messages[begin : begin + 70])
    connection = connect(database_url)
    report = verify(connection)
    assert (report.differing, report.cells > 9 * 3 * 10) == (0, True)
    database.ask(
        "UPDATE store.file_state_10m SET count = count + 1 WHERE state = 'FINISHED' AND window_start = %s",
        ["2026-11-22 02:00:00+00"],
    )
    database.ask("DELETE FROM store.link_hist WHERE window_start = '2026-11-22 02:10:00+00'")
    found = verify(connection)
    assert found.differing >= 2
    assert {cell.table for cell in found.examples} == {"file_state_10m", "link_hist"}
    numbers = connect(database_url)
    assert recompute(connection, numbers, Topology.empty()).changed == found.differing
    assert verify(connection).differing == 0
    for each in (connection, numbers):
        each.close()
