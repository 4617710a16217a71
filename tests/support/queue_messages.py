"""Queue messages as tests state them: plain ones, and what differs in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.envelope import RawMessage
from schemas.topics import FTS_OPTIMIZER, FTS_QUEUE_STATUS
from tests.support.fts_messages import HOUR, T, raw

DATA = Path(__file__).parents[1] / "data" / "queue"


def link(src: str | None = "a.x.org", dst: str | None = "b.y.org", **changes: Any) -> dict[str, Any]:
    """A link with 2 active and 3 ready jobs, 4 % of its limit."""
    return {"source_host": src, "dest_host": dst, "active": "2", "ratio": "4.000000%", "ready": "3", **changes}


def status_fields(*links: Mapping[str, Any], vo: str = "atlas", channel: str = "A-B", **changes: Any) -> dict[str, Any]:
    """A queue status of one VO and one channel at T."""
    channels = [{"channel_name": channel, "channel_type": "", "links": list(links)}]
    fields = {
        "fts_id": "https://fts.example.org:8443/services/FileTransfer",
        "time": f"{T}.000000",
        "vos": [{"voname": vo, "channels": channels}],
    }
    return fields | changes


def optimizer_fields(**changes: Any) -> dict[str, Any]:
    """An optimizer message at T."""
    fields = {
        "source_se": "davs://a.x.org",
        "dest_se": "davs://b.y.org",
        "timestamp": T,
        "active_count": 18,
        "submitted_count": 140,
        "connections": 20,
        "endpnt": "fts3.example.org",
    }
    return fields | changes


def status(fields: Mapping[str, Any] | bytes, received_ms: int | None = T + HOUR, ref: str = "test:1") -> RawMessage:
    """A received queue status."""
    return raw(FTS_QUEUE_STATUS, fields, received_ms, ref, ref)


def optimizer(fields: Mapping[str, Any] | bytes, received_ms: int | None = T + HOUR, ref: str = "test:1") -> RawMessage:
    """A received optimizer message."""
    return raw(FTS_OPTIMIZER, fields, received_ms, ref, ref)
