"""Messages that nobody can use: a good body with one thing wrong, or no message at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from pipeline.simulator.faults import Kind, Sending
from pipeline.simulator.wire import fts3_complete, fts3_start

DAY_MS = 86_400_000
DEPTH = 3000

Fields = dict[str, Any]


def poison_body(sending: Sending) -> bytes:
    """The body of a poison sending; which of a reason's forms it takes is the noise of its file."""
    good = fts3_start(sending.attempt) if sending.kind is Kind.START else fts3_complete(sending.attempt)
    noise = sending.attempt.file.noise
    spoil = _BODIES.get(sending.poison)
    if spoil is not None:
        return spoil(good, noise)
    fields: Fields = orjson.loads(good.decode("utf-8", "replace"))
    _FIELDS[sending.poison](fields, noise)
    return orjson.dumps(fields, option=orjson.OPT_INDENT_2) + b" "


def _empty(good: bytes, noise: int) -> bytes:
    return (b"", b" ", b"\x04", b"\x00")[noise % 4]


def _not_json(good: bytes, noise: int) -> bytes:
    """Cut off, a page of a proxy, a quote that nobody escaped, or a number that JSON does not have."""
    match noise % 4:
        case 0:
            return good[: 1 + noise % (len(good) - 4)]
        case 1:
            return b"<html><body><h1>503 Service Unavailable</h1></body></html>"
        case 2:
            return good.replace(b'"vo" : "', b'"vo" : ""', 1)
        case _:
            return good.replace(b'"file_id" : ', b'"file_id" : NaN, "was" : ', 1)


def _too_deep(good: bytes, noise: int) -> bytes:
    opening, closing = ((b"[", b"]"), (b'{"a":', b"}"))[noise % 2]
    return opening * DEPTH + b"0" + closing * DEPTH


def _not_object(good: bytes, noise: int) -> bytes:
    return (b"[" + good + b"]", b'"' + b"transfer" + b'"', b"null")[noise % 3]


_BODIES: dict[str, Callable[[bytes, int], bytes]] = {
    "empty": _empty,
    "not_json": _not_json,
    "too_deep": _too_deep,
    "not_object": _not_object,
}


def _no_id(fields: Fields, noise: int) -> None:
    for name in ("job_id", "file_id", "tr_id", "transfer_id"):
        if name in fields:
            fields[name] = ("", None)[noise % 2]


def _unknown_state(fields: Fields, noise: int) -> None:
    fields["t_final_transfer_state"] = ("Finished_dirty", "", 1)[noise % 3]


def _no_time(fields: Fields, noise: int) -> None:
    for name in _times(fields):
        fields[name] = (0, "", "0.000000")[noise % 3]


def _bad_time(fields: Fields, noise: int) -> None:
    names = _times(fields)
    fields[names[noise % len(names)]] = (-1, "yesterday", "-1321612263000.000000", True)[noise % 4]


def _future(fields: Fields, noise: int) -> None:
    _shift(fields, 3 * DAY_MS)


def _too_old(fields: Fields, noise: int) -> None:
    _shift(fields, -45 * DAY_MS)


def _bad_bytes(fields: Fields, noise: int) -> None:
    fields["tr_bt_transfered"] = (-1, "-42", "12 GB", 0.5)[noise % 4]


_FIELDS: dict[str, Callable[[Fields, int], None]] = {
    "no_id": _no_id,
    "unknown_state": _unknown_state,
    "no_time": _no_time,
    "bad_time": _bad_time,
    "future": _future,
    "too_old": _too_old,
    "bad_bytes": _bad_bytes,
}


def _times(fields: Fields) -> list[str]:
    marks = ("timestamp", "time_srm_", "tr_timestamp_")
    return [name for name in fields if name.startswith(marks) and not name.endswith("_diff")]


def _shift(fields: Fields, by_ms: int) -> None:
    for name in _times(fields):
        if fields[name]:
            fields[name] += by_ms
