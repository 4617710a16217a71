"""Transfers with retries whose messages differ in just what pairs them: many keys, few of them alike."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from pipeline.simulator import SimMessage
from schemas.topics import FTS_COMPLETE, FTS_START
from tests.support.fts_messages import HOUR, MINUTE, RECENT, SECOND, TOPIC_OF, complete_fields, start_fields


def messages_of_key(rng: Random, file_id: int) -> list[SimMessage]:
    """All messages of one transfer key: one to three attempts, some messages lost, some repeated."""
    messages: list[SimMessage] = []
    at_ms = RECENT + rng.randrange(HOUR)
    for _ in range(rng.randint(1, 3)):
        took_ms = rng.randrange(2, 20) * MINUTE
        if rng.random() < 0.9:
            reported_ms = at_ms + rng.randrange(-70, 70) * SECOND
            fields = start_fields(file_id=file_id, transfer_id=f"id-{file_id}", timestamp=reported_ms)
            messages += _copies(rng, FTS_START, fields, reported_ms)
        if rng.random() < 0.9:
            fields = complete_fields(
                file_id=file_id,
                tr_id=f"id-{file_id}",
                tr_timestamp_start=at_ms,
                tr_timestamp_complete=at_ms + took_ms,
                timestamp_tr_st=at_ms + SECOND,
                timestamp_tr_comp=at_ms + took_ms,
                t_final_transfer_state=rng.choice(["Ok", "Error", "Abort"]),
                tr_bt_transfered=rng.randrange(10**10),
            )
            messages += _copies(rng, FTS_COMPLETE, fields, at_ms + took_ms)
        at_ms += took_ms + rng.randrange(3 * MINUTE)
    return messages


def _copies(rng: Random, kind: str, fields: dict[str, Any], at_ms: int) -> list[SimMessage]:
    body = json.dumps(fields).encode()
    times = [at_ms + rng.randrange(5 * SECOND) for _ in range(1 if rng.random() < 0.8 else 2)]
    return [SimMessage(TOPIC_OF[kind], body, {"timestamp": str(received_ms)}, received_ms) for received_ms in times]
