"""What PostgreSQL will not take becomes a dead letter; its neighbours in the batch are stored."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from pipeline.ingest import BatchResult, Ingest
from schemas.envelope import RawMessage
from schemas.topics import FTS_COMPLETE, FTS_START
from tests.support.database import Database
from tests.support.fts_messages import SECOND, T, complete_fields, raw, start_fields

pytestmark = pytest.mark.stack

LARGEST = 2**53


def attempt(file_id: int, **changes: Any) -> RawMessage:
    fields = complete_fields(file_id=file_id, tr_id=f"id-{file_id}", **changes)
    return raw(FTS_COMPLETE, fields, ref=f"test:{file_id}", identity=f"id:{file_id}", headers={"message-id": "ID:x"})


@pytest.mark.parametrize("batch", [1, 2, 20])
def test_a_row_that_the_table_refuses_dies_alone(ingest: Ingest, database: Database, batch: int) -> None:
    database.ask("ALTER TABLE store.transfer ADD CONSTRAINT unlucky CHECK (file_id <> '13')")
    messages = [attempt(number) for number in range(20)]
    results = [ingest.process(messages[at : at + batch]) for at in range(0, 20, batch)]
    assert [sum(column) for column in zip(*results, strict=True)] == [20, 19, 0, 1]
    assert database.ask("SELECT count(*), sum(bytes) FROM report.transfer") == [(19, 19_000)]
    assert database.ask("SELECT ok, bytes FROM report.link_1d") == [(19, 19_000)]
    ((reason, detail, body, headers),) = database.ask("SELECT reason, detail, body, headers FROM report.dead_letter")
    assert reason == "store_refused"
    assert "unlucky" in detail
    assert bytes(body) == messages[13].body
    assert headers == {"message-id": "ID:x"}
    assert database.ask("SELECT received, stored, duplicate, dead FROM report.source_10m ORDER BY source") == [
        (19, 19, 0, 0),
        (1, 0, 0, 1),
    ]


def test_what_was_refused_can_be_used_once_the_table_takes_it(ingest: Ingest, database: Database) -> None:
    database.ask("ALTER TABLE store.transfer ADD CONSTRAINT unlucky CHECK (file_id <> '13')")
    messages = [attempt(number) for number in (12, 13)]
    ingest.process(messages)
    database.ask("ALTER TABLE store.transfer DROP CONSTRAINT unlucky")
    assert ingest.process(messages) == BatchResult(received=2, stored=1, duplicate=1, dead=0)


def test_a_sum_that_leaves_the_bigints_refuses_what_no_longer_fits(ingest: Ingest, database: Database) -> None:
    result = ingest.process([attempt(number, tr_bt_transfered=LARGEST) for number in range(1030)])
    assert result == BatchResult(received=1030, stored=1023, duplicate=0, dead=7)
    assert database.ask("SELECT ok, bytes, bytes_ok, bytes_moved FROM report.link_10m") == [
        (1023, *[1023 * LARGEST] * 3)
    ]
    assert database.ask("SELECT count(*), count(DISTINCT reason), min(reason) FROM report.dead_letter") == [
        (7, 1, "store_refused")
    ]


@pytest.mark.parametrize("name", ["endpnt", "vo", "t_channel", "src_hostname", "src_url", "t__error_message"])
def test_a_field_of_a_hundred_thousand_characters_stops_nobody(ingest: Ingest, database: Database, name: str) -> None:
    # Random letters: PostgreSQL would compress others below the limit of its indexes.
    text = Random(7).randbytes(50_000).hex()
    result = ingest.process([attempt(1), attempt(2, **{name: text}), attempt(3)])
    assert result.received == 3
    assert result.stored + result.dead == 3
    assert result.stored >= 2
    (dead,) = database.ask("SELECT count(*) FROM report.dead_letter")
    assert dead == (result.dead,)


def test_a_dead_letter_keeps_any_bytes_and_what_postgres_can_hold_of_its_headers(
    ingest: Ingest, database: Database
) -> None:
    headers = {"a\0b": "c\0d", "bad\ud800": "text\udfff", "plain": "ü", "": ""}
    body = bytes(range(256))
    dying = raw(FTS_START, body, headers=headers, identity="id\0\ud800")
    assert ingest.process([dying, attempt(1)]) == BatchResult(received=2, stored=1, duplicate=0, dead=1)
    ((stored_body, stored_headers),) = database.ask("SELECT body, headers FROM report.dead_letter")
    assert bytes(stored_body) == body
    assert stored_headers == {"a\ufffdb": "c\ufffdd", "bad\ufffd": "text\ufffd", "plain": "ü", "": ""}
    json.dumps(stored_headers)


def test_the_same_dead_letter_is_kept_once(ingest: Ingest, database: Database) -> None:
    dying = raw(FTS_START, b"{", identity="topic ID:1")
    ingest.process([dying, dying])
    ingest.process([dying])
    assert database.ask("SELECT count(*) FROM report.dead_letter") == [(1,)]


def test_text_with_every_character_that_copy_treats_apart_is_stored_as_it_is(
    ingest: Ingest, database: Database
) -> None:
    texts = [
        "\\",
        "\\N",
        "\\.",
        "a\tb",
        "a\nb",
        "a\rb",
        "'\"",
        "%s %(x)s",
        "{a,b}",
        "NULL",
        "\\x41",
        "日本\U0001f600",
        "\x01",
    ]
    messages = [attempt(number, t__error_message=f"<{text}>") for number, text in enumerate(texts)]
    ingest.process(messages)
    stored = database.ask("SELECT error_message FROM report.transfer ORDER BY file_id::int")
    assert [text for (text,) in stored] == [f"<{text}>" for text in texts]
    ingest.process([raw(FTS_START, start_fields(transfer_id="\\N", job_id="\\.", file_id="a\tb"))])
    assert database.ask("SELECT transfer_id, job_id, file_id FROM report.in_flight") == [("\\N", "\\.", "a\tb")]


def test_a_partition_that_was_dropped_under_a_writer_is_made_again(ingest: Ingest, database: Database) -> None:
    ingest.process([attempt(1)])
    database.ask("DROP TABLE store.transfer_p20261122, store.link_10m_p20261122")
    result = ingest.process([attempt(2, tr_timestamp_complete=T + 30 * SECOND)])
    assert result == BatchResult(received=1, stored=1, duplicate=0, dead=0)
    assert database.ask("SELECT file_id FROM report.transfer") == [("2",)]
