"""Messages that nobody can use: a good body with one thing wrong, or no message at all."""

from __future__ import annotations

from pipeline.simulator.faults import Kind
from pipeline.simulator.script import Attempt
from pipeline.simulator.spoiling import Fields, Spoils, no_time, shifted, spoiled, too_late, too_old
from pipeline.simulator.wire import fts3_complete, fts3_start

COMPLETE_ONLY = ("unknown_state", "bad_bytes")
"""Only a complete has a final state and bytes."""


def poison_body(kind: Kind, attempt: Attempt, reason: str) -> bytes:
    """The body of a start or complete that cannot be used for ``reason``."""
    good = fts3_start(attempt) if kind is Kind.START else fts3_complete(attempt)
    noise = attempt.file.noise
    if reason == "not_json":
        return _not_json(good, noise)
    return spoiled(good, reason, _SPOILS, noise)


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


def _no_id(fields: Fields, noise: int) -> None:
    for name in ("job_id", "file_id", "tr_id", "transfer_id"):
        if name in fields:
            fields[name] = ("", None)[noise % 2]


def _unknown_state(fields: Fields, noise: int) -> None:
    fields["t_final_transfer_state"] = ("Finished_dirty", "", 1)[noise % 3]


def _no_time(fields: Fields, noise: int) -> None:
    no_time(fields, _times(fields), noise)


def _bad_time(fields: Fields, noise: int) -> None:
    names = _times(fields)
    fields[names[noise % len(names)]] = (-1, "yesterday", "-1321612263000.000000", True)[noise % 4]


def _future(fields: Fields, noise: int) -> None:
    shifted(fields, _times(fields), too_late)


def _too_old(fields: Fields, noise: int) -> None:
    shifted(fields, _times(fields), too_old)


def _bad_bytes(fields: Fields, noise: int) -> None:
    fields["tr_bt_transfered"] = (-1, "-42", "12 GB", 0.5)[noise % 4]


_SPOILS: Spoils = {
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
