"""Small start and complete messages, and lines of recorded files that hold them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

START = "transfer.fts_monitoring_start"
COMPLETE = "transfer.fts_monitoring_complete"
NOON_MS = 1_795_348_800_000
"""2026-11-22T12:00:00Z"""

JOB = "8f2b6f7e-0000-4000-8000-000000000001"


def start(file_id: int, at_ms: int = NOON_MS, **fields: Any) -> dict[str, Any]:
    """A start of CMS from one host to another."""
    return _common(file_id) | {"transfer_id": f"id-{file_id}", "timestamp": at_ms} | fields


def complete(file_id: int, at_ms: int = NOON_MS + 60_000, **fields: Any) -> dict[str, Any]:
    """A good complete of the same, one minute later: 1 GB streamed in the last 40 s of a process of 60 s."""
    return (
        _common(file_id)
        | {
            "tr_id": f"id-{file_id}",
            "tr_timestamp_start": at_ms - 60_000,
            "tr_timestamp_complete": at_ms,
            "timestamp_tr_st": at_ms - 40_000,
            "timestamp_tr_comp": at_ms,
            "t_final_transfer_state": "Ok",
            "tr_bt_transfered": 1_000_000_000,
        }
        | fields
    )


def _common(file_id: int) -> dict[str, Any]:
    return {
        "job_id": JOB,
        "file_id": file_id,
        "endpnt": "fts3.cern.ch",
        "vo": "cms",
        "src_hostname": "eoscms.cern.ch",
        "dst_hostname": "storm.cnaf.infn.it",
        "src_url": "davs://eoscms.cern.ch/x",
        "dst_url": "davs://storm.cnaf.infn.it/x",
        "t_channel": "eoscms.cern.ch__storm.cnaf.infn.it",
    }


def line(
    topic: str,
    body: dict[str, Any] | str | bytes,
    received_ms: int = NOON_MS + 120_000,
    headers: Mapping[str, str] | None = None,
) -> str:
    """A line of a recorded file."""
    record: dict[str, Any] = {"topic": topic, "headers": headers or {}, "received": received_ms}
    if isinstance(body, bytes):
        record["body_base64"] = base64.b64encode(body).decode()
    else:
        record["body"] = body if isinstance(body, str) else json.dumps(body)
    return json.dumps(record)


def write(path: Path, lines: Iterable[str]) -> Path:
    """A recorded file of these lines."""
    path.write_text("".join(f"{each}\n" for each in lines))
    return path
