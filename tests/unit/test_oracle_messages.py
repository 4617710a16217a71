"""The oracle's reading of single messages against values worked out by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.support.oracle_messages import (
    COMPLETE_TOPIC,
    START_TOPIC,
    Complete,
    Unusable,
    host_of_url,
    read_bytes,
    read_instant,
    read_message,
)

T = 1_795_312_800_000
DAY = 86_400_000
START = {"transfer_id": "x", "timestamp": T}
COMPLETE = {"tr_id": "x", "t_final_transfer_state": "Ok", "tr_timestamp_complete": T}


def reading(fields: Any, received: int | None = T) -> Complete:
    message = read_message(COMPLETE_TOPIC, body(fields), received, "f:1")
    assert isinstance(message, Complete)
    return message


def body(fields: Any) -> bytes:
    return fields if isinstance(fields, bytes) else json.dumps(fields).encode()


def reason(fields: Any, topic: str = COMPLETE_TOPIC, received: int | None = T) -> str:
    with pytest.raises(Unusable) as caught:
        read_message(topic, body(fields), received, "f:1")
    return str(caught.value)


@pytest.mark.parametrize(
    ("raw", "instant"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        (0, 0),
        ("0.000000", 0),
        ("1321612263000.000000", 1_321_612_263_000),
        (1321612263999, 1_321_612_263_999),
        (Decimal("1308132353.934999"), 1_308_132_353_934),
        (1_321_612_263_999_999, 1_321_612_263_999),
        ("1e12", 1_000_000_000_000),
        (99_999_999_999, 99_999_999_999_000),
        (100_000_000_000, 100_000_000_000),
        (99_999_999_999_999, 99_999_999_999_999),
        (100_000_000_000_000, 100_000_000_000),
        ("2011-06-15T10:05:53.934122", 1_308_132_353_934),
        ("2011-06-15T12:05:53.934+02:00", 1_308_132_353_934),
        ("2011-06-15 10:05:53Z", 1_308_132_353_000),
        ("1970-01-01T00:00:00Z", 0),
    ],
)
def test_the_unit_of_a_time_is_told_by_its_magnitude(raw: Any, instant: int | None) -> None:
    assert read_instant(raw) == instant


@pytest.mark.parametrize(
    "raw",
    [
        -1,
        "-5",
        "yesterday",
        "NaN",
        Decimal("NaN"),
        True,
        [],
        {},
        "1_000",
        "1969-12-31T23:59:59Z",
        10**18,
        "1e999",
        ".5",
        "١٢",
    ],
)
def test_a_time_that_is_there_but_unreadable_is_refused(raw: Any) -> None:
    with pytest.raises(Unusable, match="bad_time"):
        read_instant(raw)


@pytest.mark.parametrize(
    ("raw", "volume"), [(None, 0), ("", 0), (7, 7), ("7.0", 7), (Decimal("1.0556847E7"), 10_556_847), (2**53, 2**53)]
)
def test_bytes_are_whole_numbers_in_any_spelling(raw: Any, volume: int) -> None:
    assert read_bytes(raw) == volume


@pytest.mark.parametrize("raw", [-1, "-1", "1.5", 2**53 + 1, "many", True, [1], Decimal("Infinity")])
def test_bytes_that_cannot_be_are_refused(raw: Any) -> None:
    with pytest.raises(Unusable, match="bad_bytes"):
        read_bytes(raw)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "empty"),
        (b" \x00\x04\n", "empty"),
        (b"{", "not_json"),
        (b'{"tr_id": NaN}', "not_json"),
        (b'{"a": 1}}}', "not_json"),
        (b"[" * 3000 + b"]" * 3000, "too_deep"),
        (b"[]", "not_object"),
        (b'"text"', "not_object"),
        ({}, "no_id"),
        ({"tr_id": "  "}, "no_id"),
        ({"file_id": 7, "tr_id": ""}, "no_id"),
        ({"tr_id": "x"}, "unknown_state"),
        ({"tr_id": "x", "t_final_transfer_state": "Done"}, "unknown_state"),
        (COMPLETE | {"tr_timestamp_complete": 0}, "no_time"),
        (COMPLETE | {"time_srm_fin_end": "soon"}, "bad_time"),
        (COMPLETE | {"tr_timestamp_complete": "", "timestamp_tr_st": -1}, "bad_time"),
        (COMPLETE | {"tr_timestamp_complete": T + DAY + 1}, "future"),
        (COMPLETE | {"tr_timestamp_complete": T - 30 * DAY - 1}, "too_old"),
        (COMPLETE | {"tr_bt_transfered": -1}, "bad_bytes"),
        (COMPLETE | {"tr_bt_transfered": -1, "tr_timestamp_complete": T + DAY + 1}, "future"),
        (b" " * (16 * 2**20) + b"{", "too_large"),
    ],
)
def test_what_cannot_be_used_has_a_reason(raw: Any, why: str) -> None:
    assert reason(raw) == why


def test_a_start_has_the_same_reasons() -> None:
    assert reason({"transfer_id": ""}, START_TOPIC) == "no_id"
    assert reason({"transfer_id": "x"}, START_TOPIC) == "no_time"
    assert reason({"transfer_id": "x", "timestamp": "?"}, START_TOPIC) == "bad_time"
    assert reason(START | {"timestamp": T + DAY + 1}, START_TOPIC) == "future"
    assert reason(START, "transfer.fts_monitoring_rejected") == "unknown_kind"


def test_limits_are_inclusive_and_need_a_receipt_time() -> None:
    assert reading(COMPLETE | {"tr_timestamp_complete": T + DAY}).event_ms == T + DAY
    assert reading(COMPLETE | {"tr_timestamp_complete": T - 30 * DAY}).event_ms == T - 30 * DAY
    assert reading(COMPLETE | {"tr_timestamp_complete": 1_321_612_309_000}, None).received_ms == 1_321_612_309_000


def test_frames_of_all_eras_are_taken_off() -> None:
    plain = json.dumps(COMPLETE).encode()
    for framed in (plain + b"\x04", b" " + plain + b"\x04", plain + b" ", b"\n\x00" + plain + b"\x00\n", plain + b"?"):
        assert reading(framed).transfer_id == "x"


def test_a_monit_envelope_is_taken_off_once() -> None:
    assert reading({"data": COMPLETE, "metadata": {}}).transfer_id == "x"
    assert reading(COMPLETE | {"data": "text"}).transfer_id == "x"
    assert reason({"data": {"data": COMPLETE}}) == "no_id"


def test_bytes_that_are_not_utf8_and_characters_that_are_none_are_replaced() -> None:
    raw = json.dumps(COMPLETE).encode()[:-1] + b', "vo": "at\xfflas", "t_channel": "a\\u0000b\\ud800c"}'
    message = reading(raw)
    assert (message.vo, message.channel) == ("at\ufffdlas", "a\ufffdb\ufffdc")


def test_the_event_time_is_the_completion_else_the_latest_of_all_times() -> None:
    times = {"timestamp_tr_st": T - 30, "timestamp_tr_comp": T - 20, "timestamp_chk_src_ended": T - 10}
    assert reading(COMPLETE | times).event_ms == T
    assert reading(COMPLETE | times | {"tr_timestamp_complete": 0}).event_ms == T - 10


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"job_id": " j ", "file_id": 7}, ("job", "j", "7")),
        ({"job_id": "j", "file_id": "7"}, ("job", "j", "7")),
        ({"job_id": "j", "file_id": 7.0}, ("job", "j", "7")),
        ({"job_id": "j"}, ("id", "x")),
        ({"tr_id": "2026-11-22-0203__a__b__7__j"}, ("job", "j", "7")),
        ({"tr_id": "RAL-CERN__2011-11-18-1031_ab"}, ("id", "RAL-CERN__2011-11-18-1031_ab")),
    ],
)
def test_the_key_is_job_and_file_else_those_in_the_id_else_the_id(fields: dict[str, Any], key: Any) -> None:
    assert reading(COMPLETE | fields).key == key


@pytest.mark.parametrize(
    ("fields", "host"),
    [
        ({"src_hostname": "A.X.org"}, "a.x.org"),
        ({"src_hostname": "a.x.org:2811"}, "a.x.org"),
        ({"src_hostname": "a.x.org.:2811"}, "a.x.org"),
        ({"src_hostname": "invalid hostname", "src_url": "srm://a.x.org/f"}, "unknown"),
        ({"src_hostname": "", "src_url": "srm://A.x.org:8444/srm/managerv2?SFN=/f"}, "a.x.org"),
        ({"src_url": "davs://user@a.x.org:443//f"}, "a.x.org"),
        ({"src_url": "root://[2001:DB8::1]:1094//f"}, "2001:db8::1"),
        ({"src_url": "/local/path"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_a_link_names_bare_lower_case_hosts(fields: dict[str, Any], host: str) -> None:
    assert reading(COMPLETE | fields).src_host == host


def test_the_instance_is_the_host_of_the_endpoint() -> None:
    assert host_of_url("fts3.CERN.ch") == "fts3.cern.ch"
    assert host_of_url("https://fts-pilot.cern.ch:8443/glite-data-transfer-fts/services/FileTransfer") == (
        "fts-pilot.cern.ch"
    )
    assert reading(COMPLETE).fts == reading(COMPLETE | {"endpnt": "invalid hostname"}).fts == ""


@pytest.mark.parametrize("metadata", [None, "", "text", [], {}, {"activity": " "}, {"activity": 5}])
def test_without_metadata_that_names_one_the_activity_is_unknown(metadata: Any) -> None:
    assert reading(COMPLETE | {"file_metadata": metadata}).activity == "unknown"
    assert reading(COMPLETE | {"file_metadata": {"activity": "T0 Export"}}).activity == "T0 Export"
