"""A batch of raw messages ends in three lists, each message in one of them, the dead with all that they were."""

from __future__ import annotations

import hashlib

import pytest

from pipeline.stages.decode import TOO_LARGE_HEADER, decode
from schemas.rules import Horizon
from schemas.topics import FTS_COMPLETE, FTS_START, MAX_BODY_BYTES
from tests.support.fts_messages import complete_fields, raw, start_fields

MIB = 1024 * 1024


def test_every_message_ends_in_one_list_in_the_order_of_arrival() -> None:
    batch = [
        raw(FTS_COMPLETE, complete_fields(), ref="1"),
        raw(FTS_START, b"{", ref="2"),
        raw(FTS_START, start_fields(), ref="3"),
        raw(FTS_COMPLETE, complete_fields(tr_bt_transfered=-1), ref="4"),
        raw(FTS_COMPLETE, complete_fields(), ref="5"),
    ]
    decoded = decode(batch, Horizon())
    assert [start.ref for start in decoded.starts] == ["3"]
    assert [complete.ref for complete in decoded.completes] == ["1", "5"]
    assert [(dead.message.ref, dead.reason) for dead in decoded.dead] == [("2", "not_json"), ("4", "bad_bytes")]


def test_a_dead_message_is_whole() -> None:
    message = raw(FTS_START, b"\xff not json", headers={"message-id": "ID:1", "persistent": "true"})
    (dead,) = decode([message], Horizon()).dead
    assert dead.message is message
    assert dead.detail.startswith("not JSON")


@pytest.mark.parametrize("kind", ["fts.rejected", "", "transfer.fts_monitoring_start"])
def test_a_kind_without_a_parser_is_told_and_not_guessed(kind: str) -> None:
    (dead,) = decode([raw(kind, start_fields())], Horizon()).dead
    assert dead.reason == "unknown_kind"


def test_the_largest_body_is_read_and_a_byte_more_is_too_large() -> None:
    fields = b'{"transfer_id": "x", "timestamp": "2026-11-22T02:00:00Z", "x": "%s"}'
    largest = fields % (b"a" * (MAX_BODY_BYTES - len(fields) + 2))
    assert len(largest) == MAX_BODY_BYTES
    assert len(decode([raw(FTS_START, largest)], Horizon()).starts) == 1
    (dead,) = decode([raw(FTS_START, largest + b" ")], Horizon()).dead
    assert dead.reason == "too_large"


def test_of_a_body_of_20_mb_the_first_mib_its_size_and_its_digest_are_kept() -> None:
    body = bytes(range(256)) * (20 * MIB // 256)
    (dead,) = decode([raw(FTS_COMPLETE, body)], Horizon()).dead
    assert dead.message.body == body[:MIB]
    assert str(len(body)) in dead.detail
    assert hashlib.sha256(body).hexdigest() in dead.detail


def test_the_stand_in_of_a_body_that_kafka_would_not_take_tells_of_the_whole() -> None:
    headers = {TOO_LARGE_HEADER: "too_large", "size": "20971520", "sha256": "abc"}
    (dead,) = decode([raw(FTS_COMPLETE, b"{" * MIB, headers=headers)], Horizon()).dead
    assert (dead.reason, len(dead.message.body)) == ("too_large", MIB)
    assert "20971520 bytes, SHA-256 abc" in dead.detail


def test_an_empty_batch_is_no_error() -> None:
    assert decode([], Horizon()) == ([], [], [], [], [])
