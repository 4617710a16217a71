"""From the bytes of a body to its fields: frames, broken text, what is no JSON object, envelopes, sizes."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from schemas.deadletters import Malformed
from schemas.events import Complete
from schemas.fts import parse_complete
from schemas.rules import Horizon
from schemas.topics import FTS_COMPLETE
from tests.support.fts_messages import complete_fields, raw

FIELDS = json.dumps(complete_fields()).encode()
MIB = 1024 * 1024


def parsed(body: bytes) -> Complete:
    return parse_complete(raw(FTS_COMPLETE, body), Horizon())


def reason(body: bytes) -> str:
    with pytest.raises(Malformed) as refused:
        parsed(body)
    assert refused.value.detail
    return refused.value.reason


@pytest.mark.parametrize(
    "frame",
    [
        b"%s",
        b"%s\x04",  # FTS until 3.6.0
        b"%s ",  # FTS since
        b" %s\x04",  # 2012: the space is left of a prefix of three
        b" %s",
        b"\x00%s\x00",
        b"\r\n\t%s\r\n\x04",
        b"%s\xff",  # any other last byte: the message is tried without it
        b"%sx",
    ],
)
def test_the_bytes_around_a_body_are_taken_off(frame: bytes) -> None:
    assert parsed(frame % FIELDS) == parsed(FIELDS)


def test_pretty_printed_bodies_are_as_good() -> None:
    body = json.dumps(complete_fields(), indent=4, sort_keys=True).encode() + b" "
    assert parsed(body) == parsed(FIELDS)


@pytest.mark.parametrize("body", [b"", b" ", b"\x04", b" \x00\x04\r\n\t"])
def test_nothing_in_the_frame_is_empty(body: bytes) -> None:
    assert reason(body) == "empty"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        FIELDS[:-1],
        FIELDS[: len(FIELDS) // 2],
        FIELDS + b"}}",
        b"plain text",
        b'{"tr_id": "a"b"}',  # 2012: written by hand, without escapes
        b'{"tr_id": "a" "vo": "b"}',
        b'{"tr_id": "a", }',
        b'{"tr_id": "a" // comment\n}',
        b'{"tr_id": "a\nb"}',
        b'{"tr_id": "a\x00b"}',
        FIELDS.replace(b"1000", b"NaN"),
        FIELDS.replace(b"1000", b"-Infinity"),
        FIELDS.replace(b"1000", b":nan"),
        b"\xef\xbb\xbf" + FIELDS,
        b"\xff\xfe\x00",
        b"\x1f\x8b\x08\x00compressed",
    ],
)
def test_what_is_not_json_is_told(body: bytes) -> None:
    assert reason(body) == "not_json"


@pytest.mark.parametrize("body", [b"[]", b"[" + FIELDS + b"]", b'"text"', b"5", b"null", b"true"])
def test_json_that_is_no_object_is_told(body: bytes) -> None:
    assert reason(body) == "not_object"


NUL = rb"\u0000"


@pytest.mark.parametrize(
    "nested",
    [
        b"[" * 3000 + b"]" * 3000,
        b'{"a":' * 3000 + b"1" + b"}" * 3000,
        FIELDS[:-1] + b', "deep": ' + b"[" * 3000 + b"]" * 3000 + b"}",
        FIELDS[:-1] + b', "deep": "' + NUL + b'", "deeper": ' + b"[" * 3000 + b"]" * 3000 + b"}",
        b"[" * 1_000_000,
    ],
)
def test_nesting_of_thousands_is_too_deep(nested: bytes) -> None:
    assert reason(nested) == "too_deep"


@pytest.mark.parametrize("depth", [10, 100, 400, 600, 900])
@pytest.mark.parametrize("shape", ["plain", "with NUL", "in an envelope"])
def test_nesting_of_hundreds_is_either_read_or_too_deep(depth: int, shape: str) -> None:
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    body = FIELDS[:-1] + b', "deep": ' + deep + b"}"
    if shape == "with NUL":
        body = body[:-1] + b', "nul": "' + NUL + b'"}'
    elif shape == "in an envelope":
        body = b'{"data": ' + body + b', "metadata": {}}'
    try:
        event = parsed(body)
    except Malformed as refused:
        outcome = refused.reason
    else:
        outcome = "as without it" if event == parsed(FIELDS) else "otherwise"
    assert outcome == "as without it" if depth <= 100 else outcome in ("as without it", "too_deep")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (rb"a\u0000b", "a\ufffdb"),
        (rb"a\ud800b", "a\ufffdb"),
        (rb"a\udc00\ud800b", "a\ufffd\ufffdb"),
        (rb"\ud83d\ude00", "\U0001f600"),
        (b"a\xffb", "a\ufffdb"),
        (b"caf\xe9", "caf\ufffd"),  # Latin-1 of the days without escapes
        ("日本".encode(), "日本"),
        (rb"tab\tand\nline", "tab\tand\nline"),
    ],
)
def test_text_that_postgres_cannot_hold_is_replaced_and_nothing_else(sent: bytes, kept: str) -> None:
    error = parsed(FIELDS[:-1] + b', "t__error_message": "' + sent + b'"}').error_message
    assert error == kept
    assert "\0" not in error.encode().decode()


def test_broken_text_in_one_field_leaves_the_others_as_they_are() -> None:
    broken = parsed(FIELDS.replace(b'"vo": "atlas"', b'"vo": "at\xfflas"'))
    assert broken.vo == "at\ufffdlas"
    assert (broken.key_hash, broken.durations, broken.bytes) == (
        parsed(FIELDS).key_hash,
        parsed(FIELDS).durations,
        parsed(FIELDS).bytes,
    )


def test_broken_text_inside_the_metadata_is_replaced_too() -> None:
    body = FIELDS.replace(b'"activity": "Express"', rb'"activity": "Ex\u0000press", "src_rse": "A\ud800"')
    assert parsed(body).activity == "Ex\ufffdpress"
    assert parsed(body).src.rse == "A\ufffd"


def test_the_last_of_two_equal_keys_counts_on_every_path() -> None:
    twice = FIELDS[:-1] + b', "vo": "cms"}'
    assert parsed(twice).vo == parsed(twice[:-1] + b', "x": "' + NUL + b'"}').vo == "cms"


@pytest.mark.parametrize("noise", [b"", b'"n": "' + NUL + b'", '])
def test_the_envelope_of_monit_is_taken_off(noise: bytes) -> None:
    inner = FIELDS[:1] + noise + FIELDS[1:]
    body = b'{"metadata": {"producer": "fts", "timestamp": 1}, "data": ' + inner + b"}"
    assert parsed(body) == parsed(FIELDS)


@pytest.mark.parametrize("data", [b"[]", b'"text"', b"5", b"null"])
def test_data_that_is_no_object_is_a_field_like_any_unknown_one(data: bytes) -> None:
    assert parsed(FIELDS[:-1] + b', "data": ' + data + b"}") == parsed(FIELDS)


def test_an_envelope_around_nothing_has_no_id() -> None:
    assert reason(b'{"data": {}, "metadata": {}}') == "no_id"


@pytest.mark.parametrize(
    "extra",
    [
        {"scitag": 65, "unknown": {"a": [1, {"b": None}]}},
        {"srm_overhead_time": 18_446_744_073_709_551_615, "throughput": -1.0, "transfer_time": -1_700_000_000_000},
        {"srm_overhead_percentage": 1e300, "log_link": ""},
    ],
)
def test_fields_that_nobody_needs_are_passed_over(extra: dict[str, Any]) -> None:
    assert parsed(json.dumps(complete_fields() | extra).encode()) == parsed(FIELDS)


def test_a_number_beyond_any_range_in_a_field_that_nobody_needs_is_passed_over() -> None:
    assert parsed(FIELDS[:-1] + b', "throughput": 1e999}') == parsed(FIELDS)


@pytest.mark.parametrize("padding", [b'"x": "%s"', b'"t__error_message": "%s"', rb'"x": "\u0000%s"'])
def test_a_body_of_5_mb_is_read_in_no_time(padding: bytes) -> None:
    body = FIELDS[:-1] + b", " + padding % (b"x" * 5 * MIB) + b"}"
    begin = time.perf_counter()
    assert parsed(body).bytes == 1000
    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize("number", [b"1" * 5 * MIB, b'"' + b"1" * 5 * MIB + b'"', b'"1e%s"' % (b"9" * 5 * MIB)])
def test_a_number_of_5_mb_costs_no_arithmetic(number: bytes) -> None:
    begin = time.perf_counter()
    assert reason(FIELDS.replace(b'"tr_bt_transfered": 1000', b'"tr_bt_transfered": ' + number)) in (
        "bad_bytes",
        "not_json",
    )
    assert time.perf_counter() - begin < 5
