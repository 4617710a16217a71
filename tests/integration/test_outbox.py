"""The outbox: all that a batch made or changed is told, as the row is when it is told, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.ingest import Ingest
from pipeline.simulator import Mix, simulate
from pipeline.stages.alert_rules import Finding
from pipeline.store import alerts, outbox
from pipeline.store.outbox import Outbox
from pipeline.store.session import connect
from schemas.topics import ALERTS, DEAD_LETTERS, FTS_COMPLETE, FTS_START, TRANSFERS
from tests.support import bridged
from tests.support.database import Database
from tests.support.fts_messages import T, complete_fields, raw, start_fields
from tests.support.shell import Shell
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

ROUGH = Mix(duplicate=0.05, late=0.05, displaced=0.3, missing_start=0.1, missing_complete=0.1, poison=0.02)
OF_THE_MOMENT = ("start_ref", "queue_wait_ms")
"""What other rows tell of a transfer; a change of these alone is not told."""
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def reader(database_url: str) -> Iterator[Outbox]:
    with closing(Outbox(database_url)) as reader:
        yield reader


def drain(reader: Outbox) -> dict[str, dict[str, Any]]:
    """The last document of each id, by topic; the outbox is empty afterwards."""
    told: dict[str, dict[str, Any]] = {TRANSFERS: {}, DEAD_LETTERS: {}, ALERTS: {}}
    while (taken := reader.take()) is not None and taken.lines:
        for document in taken.documents:
            told[document.topic][document.key] = json.loads(document.text)
        reader.done(taken)
    return told


def rest(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in OF_THE_MOMENT}


def test_rough_traffic_is_told_as_the_rows_are(ingest: Ingest, database: Database, reader: Outbox) -> None:
    read = bridged.read(bridged.records(simulate(3000, 1, T, mix=ROUGH), 1))
    told: dict[str, dict[str, Any]] = {}
    for begin in range(0, len(read), 200):
        ingest.process(read[begin : begin + 200])
        if begin % 600 == 0:
            for topic, documents in drain(reader).items():
                told.setdefault(topic, {}).update(documents)
    for topic, documents in drain(reader).items():
        told[topic].update(documents)
    rows = database.ask(
        "SELECT row_to_json(v), (extract(epoch FROM ended_at) * 1000)::bigint FROM report.transfer AS v"
    )
    expected = {}
    for row, ended_ms in rows:
        expected[f"{ended_ms}-{row.pop('dedupe') & (2**64 - 1):016x}"] = row
    assert len(expected) > 1000
    assert told[TRANSFERS].keys() == expected.keys()
    for key, document in told[TRANSFERS].items():
        assert document.pop("id") == key
        assert rest(document) == rest(expected[key])
    dead = {str(number): reason for number, reason in database.ask("SELECT id, reason FROM report.dead_letter")}
    assert dead
    assert {key: letter["reason"] for key, letter in told[DEAD_LETTERS].items()} == dead


def test_a_late_start_tells_the_transfer_again_under_its_id(ingest: Ingest, reader: Outbox) -> None:
    ingest.process([raw(FTS_COMPLETE, complete_fields())])
    ((first, before),) = drain(reader)[TRANSFERS].items()
    ingest.process([raw(FTS_START, start_fields())])
    ((again, after),) = drain(reader)[TRANSFERS].items()
    assert first == again
    assert (before["start_message_at"], after["start_message_at"] is None) == (None, False)


def test_duplicates_tell_nothing(ingest: Ingest, database: Database, reader: Outbox) -> None:
    messages = [raw(FTS_COMPLETE, complete_fields()), raw(FTS_COMPLETE, b"{")]
    ingest.process(messages)
    drain(reader)
    ingest.process(messages)
    assert database.value("SELECT count(*) FROM store.outbox") == 0


def test_what_was_not_done_comes_again(ingest: Ingest, database_url: str) -> None:
    ingest.process([raw(FTS_COMPLETE, complete_fields())])
    with closing(Outbox(database_url)) as first:
        taken = first.take()
    with closing(Outbox(database_url)) as second:
        assert second.take() == taken


def test_one_reader_at_a_time(reader: Outbox, database_url: str) -> None:
    assert reader.take() is not None
    with closing(Outbox(database_url)) as other:
        assert other.take() is None
        reader.close()
        eventually(lambda: other.take() is not None, 10)


def test_lines_from_before_the_raw_floor_are_dropped(ingest: Ingest, database: Database) -> None:
    ingest.process([raw(FTS_COMPLETE, complete_fields())])
    with closing(connect(database.url)) as connection, connection, connection.cursor() as cursor:
        assert outbox.prune(cursor) == 0
        assert outbox.depth(cursor).rows == 1
    floor = int((datetime.now(UTC) + timedelta(days=1)).timestamp() * 1000)
    database.ask(
        "INSERT INTO store.setting VALUES ('raw_floor_ms', %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (str(floor),),
    )
    with closing(connect(database.url)) as connection, connection, connection.cursor() as cursor:
        assert outbox.prune(cursor) == 1
        assert outbox.depth(cursor) == (0, None)


def test_an_alert_is_raised_and_cleared_once_and_told_both_times(database: Database, reader: Outbox) -> None:
    finding = Finding("link-health", "A > B", 0.2, 0.45, "efficiency fell")
    later = NOW + timedelta(minutes=5)
    with closing(connect(database.url)) as connection, connection, connection.cursor() as cursor:
        assert alerts.raise_alert(cursor, finding, NOW)
        assert not alerts.raise_alert(cursor, finding._replace(value=0.1), later)
    ((key, raised),) = drain(reader)[ALERTS].items()
    assert (raised["value"], raised["cleared_at"]) == (0.2, None)
    with closing(connect(database.url)) as connection, connection, connection.cursor() as cursor:
        assert alerts.clear_alert(cursor, finding.rule, finding.subject, later)
        assert not alerts.clear_alert(cursor, finding.rule, finding.subject, later)
        assert alerts.raise_alert(cursor, finding, later)
    told = drain(reader)[ALERTS]
    assert told[key]["cleared_at"] == "2026-11-26T12:05:00+00:00"
    assert len(told) == 2
    assert database.ask("SELECT id::text FROM report.alert WHERE cleared_at IS NULL") != [(key,)]


def test_alerts_are_shown_with_the_open_ones_first(shell: Shell, database: Database) -> None:
    old, new = (Finding("link-health", subject, 0.2, 0.45, "fell") for subject in ("A > B", "C > D"))
    with closing(connect(database.url)) as connection, connection, connection.cursor() as cursor:
        alerts.raise_alert(cursor, old, NOW)
        alerts.raise_alert(cursor, new, NOW + timedelta(hours=1))
        alerts.clear_alert(cursor, new.rule, new.subject, NOW + timedelta(hours=2))
    rows = shell.json("query", "alerts")
    assert [(row["subject"], row["cleared_at"] is None) for row in rows] == [("A > B", True), ("C > D", False)]
    assert (rows[0]["value"], rows[0]["threshold"]) == (0.2, 0.45)
    assert shell.json("query", "alerts", "--by", "rule") == [{"rule": "link-health", "count": 2}]


def test_status_tells_what_waits_in_the_outbox(shell: Shell, ingest: Ingest, reader: Outbox) -> None:
    assert shell.json("status")["outbox"] == {"rows": 0, "oldest_s": None}
    ingest.process([raw(FTS_COMPLETE, complete_fields())])
    waiting = shell.json("status")["outbox"]
    assert waiting["rows"] == 1
    assert waiting["oldest_s"] >= 0
    drain(reader)
    assert shell.json("status")["outbox"]["rows"] == 0
