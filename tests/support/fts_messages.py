"""FTS messages as tests state them: a plain message of today, and what differs in it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from schemas.envelope import RawMessage
from schemas.events import Complete, Start, StateChange
from schemas.fts import parse_complete, parse_start
from schemas.fts_state import parse_state
from schemas.rules import Horizon
from schemas.topics import FTS_COMPLETE, FTS_OPTIMIZER, FTS_QUEUE_STATUS, FTS_START, FTS_STATE

T = 1_795_312_800_000
"""2026-11-22T02:00:00Z: the start of an hour, and so of a base window."""

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000

RECENT = T + max(0, (time.time_ns() // 1_000_000 - T) // DAY - 7) * DAY
"""T, or its hour a week ago when that is later: for tests with workers, which drop what is older than a month."""

TOPIC_OF = {
    FTS_START: "transfer.fts_monitoring_start",
    FTS_COMPLETE: "transfer.fts_monitoring_complete",
    FTS_STATE: "transfer.fts_monitoring_state",
    FTS_QUEUE_STATUS: "transfer.fts_monitoring_queue_status",
    FTS_OPTIMIZER: "transfer.fts_monitoring_queue_state",
}

ABSENT = object()
"""As a value: the message does not have the field."""


def start_fields(**changes: Any) -> dict[str, Any]:
    """The fields of a start that FTS3 sends at T."""
    fields = {
        "transfer_id": "2026-11-22-0200__a.x.org__b.y.org__7__job-1",
        "job_id": "job-1",
        "file_id": 7,
        "endpnt": "fts3.example.org",
        "timestamp": T,
        "vo": "atlas",
        "src_url": "davs://a.x.org:443/file",
        "dst_url": "davs://b.y.org:443/file",
        "src_hostname": "a.x.org",
        "dst_hostname": "b.y.org",
        "t_channel": "a.x.org__b.y.org",
        "file_metadata": {"activity": "Express"},
    }
    return _changed(fields, changes)


def complete_fields(**changes: Any) -> dict[str, Any]:
    """The fields of the ok complete of that start: a minute long, 40 s of it streaming 1000 bytes."""
    fields = {
        "tr_id": "2026-11-22-0201__a.x.org__b.y.org__7__job-1",
        "job_id": "job-1",
        "file_id": 7,
        "endpnt": "fts3.example.org",
        "vo": "atlas",
        "src_url": "davs://a.x.org:443/file",
        "dst_url": "davs://b.y.org:443/file",
        "src_hostname": "a.x.org",
        "dst_hostname": "b.y.org",
        "t_channel": "a.x.org__b.y.org",
        "file_metadata": {"activity": "Express"},
        "tr_timestamp_start": T,
        "tr_timestamp_complete": T + 60 * SECOND,
        "timestamp_tr_st": T + 10 * SECOND,
        "timestamp_tr_comp": T + 50 * SECOND,
        "t_final_transfer_state": "Ok",
        "tr_bt_transfered": 1000,
        "file_size": 1000,
    }
    return _changed(fields, changes)


def state_fields(**changes: Any) -> dict[str, Any]:
    """The fields of the state message that says so when that start begins; submitted ten minutes before."""
    fields = {
        "job_id": "job-1",
        "file_id": 7,
        "endpnt": "fts3.example.org",
        "vo_name": "atlas",
        "source_se": "davs://a.x.org",
        "dest_se": "davs://b.y.org",
        "src_url": "davs://a.x.org:443/file",
        "dst_url": "davs://b.y.org:443/file",
        "file_state": "ACTIVE",
        "job_state": "ACTIVE",
        "reason": "",
        "timestamp": T,
        "submit_time": T - 10 * MINUTE,
        "staging": False,
        "staging_start": 0,
        "staging_finished": 0,
        "archiving_start": 0,
        "archiving_finished": 0,
        "retry_counter": 0,
        "user_filesize": 0,
        "job_metadata": None,
        "file_metadata": None,
    }
    return _changed(fields, changes)


def raw(
    kind: str,
    body: Mapping[str, Any] | bytes,
    received_ms: int | None = T + HOUR,
    ref: str = "test:1",
    identity: str = "test:1",
    headers: Mapping[str, str] | None = None,
) -> RawMessage:
    """A received message; a mapping becomes its JSON body."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RawMessage(kind, TOPIC_OF.get(kind, kind), content, headers or {}, received_ms, ref, identity)


def start(received_ms: int | None = T + HOUR, horizon: Horizon | None = None, **changes: Any) -> Start:
    """The event of ``start_fields``."""
    return parse_start(raw(FTS_START, start_fields(**changes), received_ms), horizon or Horizon())


def complete(received_ms: int | None = T + HOUR, horizon: Horizon | None = None, **changes: Any) -> Complete:
    """The event of ``complete_fields``."""
    return parse_complete(raw(FTS_COMPLETE, complete_fields(**changes), received_ms), horizon or Horizon())


def state(received_ms: int | None = T + HOUR, horizon: Horizon | None = None, **changes: Any) -> StateChange:
    """The event of ``state_fields``."""
    return parse_state(raw(FTS_STATE, state_fields(**changes), received_ms), horizon or Horizon())


def _changed(fields: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**fields, **changes}.items() if value is not ABSENT}
