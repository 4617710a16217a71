"""What becomes of a message on its way to Kafka."""

from __future__ import annotations

import hashlib
import json

import pytest

from consumers.bridge.mapping import KEPT_BYTES, Source, record_of, sources, too_large
from consumers.stomp.frames import Delivery
from schemas.keys import partition_of
from schemas.topics import FTS_COMPLETE, FTS_START, FTS_TRANSFER, MAX_BODY_BYTES
from tests.support import bridged

TOPIC = "transfer.fts_monitoring_complete"
SOURCE = Source("mb1.example.org:61613", TOPIC, FTS_COMPLETE, 8)
HEADERS = {
    "message-id": b"ID:mb1-1",
    "timestamp": b"1795300000000",
    "destination": b"/queue/Consumer.x." + TOPIC.encode(),
}


def test_body_and_headers_go_untouched_with_what_the_bridge_knows() -> None:
    body = b' {"job_id": "j", "file_id": 7}\x04'
    record = record_of(Delivery({**HEADERS, "a b": b"\xff"}, body), SOURCE, now_ms=5)
    assert (record.topic, record.value) == (FTS_TRANSFER, body)
    assert list(record.headers) == [
        ("kind", FTS_COMPLETE),
        ("origin", "mb1.example.org:61613"),
        ("destination", TOPIC),
        ("received-at", b"1795300000000"),
        ("stomp.message-id", b"ID:mb1-1"),
        ("stomp.timestamp", b"1795300000000"),
        ("stomp.destination", b"/queue/Consumer.x.transfer.fts_monitoring_complete"),
        ("stomp.a b", b"\xff"),
    ]


def test_start_and_complete_of_a_transfer_share_key_and_partition() -> None:
    start = json.dumps({"transfer_id": "2026-11-22-1000__a__b__7__j"}).encode()
    complete = json.dumps({"tr_id": "2026-11-22-1003__a__b__7__j", "job_id": "j", "file_id": "7"}).encode()
    records = [
        record_of(Delivery(HEADERS, body), Source("h:1", topic, kind, 8), 5)
        for topic, kind, body in (("s", FTS_START, start), ("c", FTS_COMPLETE, complete))
    ]
    assert {record.key for record in records} == {"7__j"}
    assert {record.partition for record in records} == {partition_of("7__j", 8)}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 3000, b"{}"])
def test_a_body_without_a_transfer_key_is_placed_by_its_message_id(body: bytes) -> None:
    record = record_of(Delivery(HEADERS, body), SOURCE, 5)
    assert (record.key, record.partition, record.value) == ("ID:mb1-1", partition_of("ID:mb1-1", 8), body)


@pytest.mark.parametrize("stamp", [None, b"", b"soon", b"-1", b"1.5", b"9" * 16])
def test_without_a_readable_timestamp_our_clock_tells_the_receipt_time(stamp: bytes | None) -> None:
    headers = {"message-id": b"1"} if stamp is None else {"message-id": b"1", "timestamp": stamp}
    assert ("received-at", "5") in record_of(Delivery(headers, b"{}"), SOURCE, now_ms=5).headers


def test_the_largest_body_goes_whole() -> None:
    body = b"x" * MAX_BODY_BYTES
    assert record_of(Delivery(HEADERS, body), SOURCE, 5).value is body


def test_of_a_larger_body_its_first_mebibyte_goes_with_size_and_digest() -> None:
    body = b"y" * MAX_BODY_BYTES + b"z"
    record = record_of(Delivery(HEADERS, body), SOURCE, 5)
    headers = dict(record.headers)
    assert record.value == body[:KEPT_BYTES]
    assert headers["dead-reason"] == "too_large"
    assert headers["size"] == str(len(body))
    assert headers["sha256"] == hashlib.sha256(body).hexdigest()
    assert headers["stomp.message-id"] == b"ID:mb1-1"
    assert too_large(record) is record, "shrunk once is small enough"


def test_the_worker_reads_what_the_bridge_writes() -> None:
    (message,) = bridged.read([record_of(Delivery(HEADERS, b"{}"), SOURCE, 5)])
    assert (message.kind, message.topic, message.body) == (FTS_COMPLETE, TOPIC, b"{}")
    assert message.received_ms == 1795300000000
    assert message.headers["message-id"] == "ID:mb1-1"


def test_each_subscription_has_its_source() -> None:
    found = sources("h:1", {"t.start": FTS_START, "t.complete": FTS_COMPLETE}, {FTS_TRANSFER: 4})
    assert {number: (source.topic, source.partitions) for number, source in found.items()} == {
        b"0": ("t.start", 4),
        b"1": ("t.complete", 4),
    }
