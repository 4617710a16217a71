"""Why a message could not be used: the one registry of dead-letter reasons."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "empty": "nothing but white space in the body",
    "not_json": "the body is not JSON",
    "too_deep": "the JSON is nested deeper than the parser goes",
    "not_object": "the JSON is not an object",
    "no_id": "it does not say what it tells of: no job and file id, no transfer id, no queue, no storage pair",
    "unknown_state": "the final state is none of Ok, Error, Abort, Aborted",
    "bad_time": "a time is there but cannot be read",
    "no_time": "no time that says when it happened",
    "future": "event time more than 24 h after the receipt time",
    "too_old": "event time older than the raw retention, or of a day that was dropped",
    "bad_bytes": "the byte count is negative, not whole, unreadable or over 2^53",
    "bad_count": "active or ready is negative, not whole, unreadable or over 2^53",
    "bad_shape": "a VO, channel or link of a queue status is not an object",
    "too_large": "the body is over 16 MiB; only its first MiB is kept",
    "needs_collector": "a packet of an xrootd server: what it is about stands in packets before it",
    "unknown_kind": "no parser is configured for this kind of message",
    "store_refused": "the database refused the row that the message makes",
}


class Malformed(Exception):
    """This message can never succeed as it is; ``reason`` is a key of REASONS, ``detail`` a sentence for people."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail or REASONS[reason]}")
        self.reason = reason
        self.detail = detail or REASONS[reason]
