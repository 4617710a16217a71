"""FTS state messages -> ``StateChange``: what the server says of a file in a queue, before and after a transfer runs.

Fields and their origin are in README.md. The message names the VO ``vo_name`` where start and complete say ``vo``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from schemas import cleaning
from schemas.deadletters import Malformed
from schemas.envelope import RawMessage
from schemas.events import StateChange
from schemas.hosts import instance_name, link_host
from schemas.keys import hash64, id_text, key_order, transfer_key
from schemas.rules import Horizon, duration, time_field, within

ACTIVE, SUBMITTED = "ACTIVE", "SUBMITTED"
FILE_STATES = frozenset(
    {
        "STAGING",
        "ARCHIVING",
        "QOS_TRANSITION",
        "QOS_REQUEST_SUBMITTED",
        "STARTED",
        SUBMITTED,
        "READY",
        ACTIVE,
        "FINISHED",
        "FAILED",
        "CANCELED",
        "NOT_USED",
        "ON_HOLD",
        "ON_HOLD_STAGING",
        "FORCE_START",
        "TOKEN_PREP",
    }
)
"""cern-fts/fts3, src/db/generic/TransferState.h and the states that the REST server makes."""


class _Wire(msgspec.Struct, gc=False):
    job_id: Any = None
    file_id: Any = None
    endpnt: Any = None
    vo_name: Any = None
    vo: Any = None
    source_se: Any = None
    dest_se: Any = None
    src_url: Any = None
    dst_url: Any = None
    file_state: Any = None
    job_state: Any = None
    reason: Any = None
    timestamp: Any = None
    submit_time: Any = None
    staging_start: Any = None
    staging_finished: Any = None
    retry_counter: Any = None
    data: Any = None


_decode: Callable[[bytes], _Wire] = msgspec.json.Decoder(_Wire).decode


def parse_state(message: RawMessage, horizon: Horizon) -> StateChange:
    """The event of a state message. Raises Malformed with the reason that makes it a dead letter."""
    wire = cleaning.decode_object(message.body, _decode, _Wire)
    job_id, file_id = id_text(wire.job_id), id_text(wire.file_id)
    if not job_id or not file_id:
        raise Malformed("no_id", "a state message needs job_id and file_id")
    state = cleaning.text(wire.file_state).upper()
    if state not in FILE_STATES:
        raise Malformed("unknown_state", f"file_state is {wire.file_state!r:.80}")
    event_ms = time_field(wire.timestamp, "timestamp")
    if event_ms is None:
        raise Malformed("no_time", "the state message has no timestamp")
    submitted = time_field(wire.submit_time, "submit_time")
    staging_from = time_field(wire.staging_start, "staging_start")
    staging_to = time_field(wire.staging_finished, "staging_finished")
    if submitted is None and state == SUBMITTED:
        submitted = event_ms
    received_ms = within(event_ms, message.received_ms, horizon)
    # A file that came from tape could not run before it was there: its wait begins then.
    ready = submitted if staging_to is None or submitted is None else max(submitted, staging_to)
    key = transfer_key(job_id, file_id, "")
    fts = instance_name(cleaning.text(wire.endpnt))
    return StateChange(
        hash64(key),
        key_order(key),
        fts,
        job_id,
        file_id,
        cleaning.text(wire.vo_name) or cleaning.text(wire.vo) or "unknown",
        link_host("", cleaning.text(wire.source_se) or cleaning.text(wire.src_url)),
        link_host("", cleaning.text(wire.dest_se) or cleaning.text(wire.dst_url)),
        event_ms,
        received_ms,
        fts or message.topic,
        message.ref,
        hash64(f"{fts}\0{key}\0{state}"),
        state,
        cleaning.text(wire.job_state).upper(),
        cleaning.text(wire.reason),
        submitted,
        duration(ready, event_ms) if state == ACTIVE else None,
        duration(staging_from, staging_to) if state == ACTIVE else None,
        cleaning.size(wire.retry_counter),
    )
