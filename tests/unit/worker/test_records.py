"""Kafka records as raw messages: what the bridge wrote, what others wrote, what a publisher made up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.kafka.records import raw_message
from schemas.envelope import RawMessage
from schemas.times import MAX_MS

COMPLETE = "transfer.fts_monitoring_complete"


WRITTEN_MS = 1_700_000_000_000


def message(
    *headers: tuple[str, bytes | None], offset: int = 7, timestamp: int = WRITTEN_MS, value: bytes = b"{}"
) -> RawMessage:
    return raw_message("fts.transfer", 3, offset, timestamp, value, headers)


BRIDGED: tuple[tuple[str, bytes | None], ...] = (
    ("kind", b"fts.complete"),
    ("origin", b"mb1.cern.ch:61613"),
    ("destination", COMPLETE.encode()),
    ("received-at", b"1795300000000"),
    ("stomp.message-id", b"ID:mb1-1:2:3"),
    ("stomp.timestamp", b"1795299999000"),
    ("stomp.destination", b"/queue/Consumer.dashb.transfer.fts_monitoring_complete"),
)


def test_a_bridged_record_is_the_message_that_the_broker_sent() -> None:
    found = message(*BRIDGED, value=b'{"tr_id": 1}\x04')
    assert found[:3] == ("fts.complete", COMPLETE, b'{"tr_id": 1}\x04')
    assert found.received_ms == 1_795_299_999_000
    assert found.ref == "fts.transfer-3-7"
    assert found.identity == f"{COMPLETE} ID:mb1-1:2:3"


def test_headers_have_the_names_that_the_broker_gave_them_and_ours_beside() -> None:
    assert dict(message(*BRIDGED).headers) == {
        "kind": "fts.complete",
        "origin": "mb1.cern.ch:61613",
        "destination": COMPLETE,
        "received-at": "1795300000000",
        "message-id": "ID:mb1-1:2:3",
        "timestamp": "1795299999000",
        "stomp.destination": "/queue/Consumer.dashb.transfer.fts_monitoring_complete",
    }


def test_a_publisher_cannot_pass_for_the_bridge() -> None:
    headers = message(*BRIDGED, ("stomp.dead-reason", b"too_large"), ("stomp.size", b"1"), ("stomp.kind", b"x")).headers
    assert "dead-reason" not in headers
    assert "size" not in headers
    assert headers["kind"] == "fts.complete"
    assert headers["stomp.dead-reason"] == "too_large"


def test_the_mark_of_a_too_large_body_is_seen() -> None:
    headers = message(*BRIDGED, ("dead-reason", b"too_large"), ("size", b"20000000"), ("sha256", b"ab")).headers
    assert "dead-reason" in headers
    assert (headers["size"], headers["sha256"]) == ("20000000", "ab")


@pytest.mark.parametrize("unreadable", [b"", b"0", b"-5", b"1e12", b" 1795299999000", b"9" * 15, b"9" * 5000, b"\xff"])
def test_an_unreadable_broker_time_leaves_the_bridges_clock(unreadable: bytes) -> None:
    assert message(("stomp.timestamp", unreadable), ("received-at", b"1795300000000")).received_ms == 1_795_300_000_000


def test_without_any_header_kafkas_time_is_the_receipt_time() -> None:
    assert message().received_ms == 1_700_000_000_000
    assert message(timestamp=-1).received_ms is None


def test_the_largest_time_that_a_database_knows_is_taken() -> None:
    assert message(("stomp.timestamp", str(MAX_MS).encode())).received_ms == MAX_MS


def test_a_foreign_record_gets_the_kind_of_its_broker_topic() -> None:
    found = message(("destination", b"/queue/Consumer.x.transfer.fts_monitoring_start"))
    assert (found.kind, found.topic) == ("fts.start", "transfer.fts_monitoring_start")


def test_a_record_that_says_nothing_is_of_no_kind_and_is_known_by_its_place() -> None:
    found = message()
    assert (found.kind, found.topic, found.body) == ("", "fts.transfer", b"{}")
    assert found.identity == found.ref == "fts.transfer-3-7"


def test_a_header_without_a_value_is_empty_text() -> None:
    found = message(("kind", None), ("stomp.x", None), ("destination", None), ("stomp.message-id", None))
    assert found.headers["x"] == ""
    assert found.identity == found.ref


Names = st.sampled_from(
    ["kind", "origin", "destination", "received-at", "stomp.timestamp", "stomp.message-id", "stomp.x", "stomp.", "y"]
)


@given(st.lists(st.tuples(Names, st.none() | st.binary(max_size=30)), max_size=8), st.binary(max_size=30))
def test_whatever_a_record_holds_it_becomes_a_message_with_all_its_headers(
    headers: list[tuple[str, bytes | None]], value: bytes
) -> None:
    found = message(*headers, value=value)
    assert found.body == value
    assert found.received_ms is not None
    assert 0 < found.received_ms <= MAX_MS
    assert len(found.headers) == len(list(found.headers)) == len({name for name, _ in headers})
    assert all(name in found.headers and isinstance(text, str) for name, text in found.headers.items())
