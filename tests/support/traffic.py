"""Rough traffic in a file: a simulated hour, and transfers whose attempts lie days apart, in no order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from pipeline.recording import Recording
from pipeline.simulator import Mix, simulate
from pipeline.simulator.record import write_jsonl
from pipeline.simulator.simulation import SimMessage
from schemas.envelope import RawMessage
from schemas.topics import BROKER_TOPICS, FTS_COMPLETE, FTS_OPTIMIZER, FTS_QUEUE_STATUS, FTS_START, FTS_STATE
from tests.support.fts_messages import DAY, HOUR, MINUTE, TOPIC_OF, T, complete_fields, start_fields, state_fields
from tests.support.queue_messages import link, optimizer_fields, status_fields

ROUGH = Mix(
    fts2=0.1,
    monit=0.05,
    duplicate=0.1,
    late=0.1,
    displaced=0.4,
    missing_start=0.15,
    missing_complete=0.15,
    poison=0.05,
)


def record(path: Path, messages: int, seed: int) -> list[RawMessage]:
    """Write the file, a quarter of it attempts over days, an eighth queues, and read it as a replay does."""
    rng = Random(seed)
    over_days = list(_attempts_over_days(rng, messages // 4))
    queues = list(queue_messages(rng, messages // 8))
    rough = list(simulate(messages - len(over_days) - len(queues), seed, T, mix=ROUGH)) + over_days + queues
    rng.shuffle(rough)
    write_jsonl(rough, path)
    read = list(Recording(path, BROKER_TOPICS))
    assert all(isinstance(message, RawMessage) for message in read)
    return [message for message in read if isinstance(message, RawMessage)]


def queue_messages(rng: Random, messages: int) -> Iterator[SimMessage]:
    """Reports of few links at few instants, so that they overlap and contradict each other; some cannot be used."""
    hosts = ["a.x.org", "B.Y.org:8443", "c.org.", "", "invalid hostname", None]
    for _ in range(messages):
        at = T + rng.randrange(6) * 4 * MINUTE - rng.choice([0, 0, DAY])
        links = [
            link(
                rng.choice(hosts),
                rng.choice(hosts),
                active=rng.choice(["", None, 0, "1", 2, "30.0"]),
                ready=rng.choice(["", 0, "1"]),
                ratio=rng.choice(["inf%", "", "1.500000%", "102.25%", 7]),
            )
            for _ in range(rng.randrange(5))
        ]
        status = status_fields(*links, vo=rng.choice(["", "x", "y"]), channel=rng.choice(["", "A-B"]), time=at)
        pair = optimizer_fields(
            timestamp=at, source_se=rng.choice(["davs://a.x.org:443", "c.org", ""]), active_count=rng.randrange(3)
        )
        kind = rng.choice([FTS_QUEUE_STATUS, FTS_QUEUE_STATUS, FTS_OPTIMIZER])
        bad: dict[str, Any] = rng.choice([{"time": "soon"}, {"vos": 1}, {"time": 0}, {"fts_id": "", "vos": []}])
        dead = rng.random() < 0.1
        if kind == FTS_OPTIMIZER:
            yield _message(kind, pair | ({"submitted_count": -1} if dead else {}))
        else:
            yield _message(kind, status | (bad if dead else {}))


def _attempts_over_days(rng: Random, messages: int) -> Iterator[SimMessage]:
    """Messages of few transfers, at times that often lie at the edges of days and of the pairing rule."""
    for _ in range(messages):
        file_id, host = rng.randrange(messages // 6), f"se{rng.randrange(3)}.example.org"
        if rng.random() < 0.25:
            yield _message(FTS_STATE, _state_fields(rng, file_id))
            continue
        transfer = {"file_id": file_id, "src_hostname": host}
        own_id = f"2026-11-2{rng.randrange(10)}-0200__{host}__b.y.org__{file_id}__job-1"
        if rng.random() < 0.5:
            fields = start_fields(
                **transfer, transfer_id=own_id, timestamp=_instant(rng), agent_fqdn=rng.choice(["", "g1", "g2"])
            )
            yield _message(FTS_START, fields)
            continue
        begun, ended = sorted((_instant(rng), _instant(rng)))
        first, last = sorted(rng.randint(begun - MINUTE, ended + MINUTE) for _ in range(2))
        streaming = rng.choice(
            [(first, last), (first, last), (first, 0), (last, first), (ended - 8 * DAY, ended), (first, ended + HOUR)]
        )
        fields = complete_fields(
            **transfer,
            tr_id=own_id,
            tr_timestamp_start=rng.choice([begun, begun, begun, "", 0, ended + HOUR]),
            tr_timestamp_complete=ended,
            timestamp_tr_st=streaming[0],
            timestamp_tr_comp=streaming[1],
            t_final_transfer_state=rng.choice(["Ok", "Ok", "Error", "Abort"]),
            tr_bt_transfered=rng.randrange(10**13),
        )
        yield _message(FTS_COMPLETE, fields)


def _state_fields(rng: Random, file_id: int) -> dict[str, Any]:
    at = _instant(rng)
    staged = rng.choice([0, 0, at - rng.randrange(HOUR)])
    return state_fields(
        file_id=file_id,
        file_state=rng.choice(["SUBMITTED", "ACTIVE", "ACTIVE", "FINISHED", "CANCELED", "resting"]),
        timestamp=at,
        submit_time=rng.choice([0, at - rng.randrange(HOUR), at - 8 * DAY, at + MINUTE]),
        staging_start=staged and staged - rng.randrange(HOUR),
        staging_finished=staged,
        vo_name=rng.choice(["atlas", "cms", ""]),
    )


def _instant(rng: Random) -> int:
    midnight = T - T % DAY + rng.randint(-3, 1) * DAY
    return midnight + rng.choice([0, -1, MINUTE, -MINUTE, 2 * MINUTE + 1, 11 * HOUR, rng.randrange(DAY)])


def _message(kind: str, fields: dict[str, Any]) -> SimMessage:
    return SimMessage(TOPIC_OF[kind], json.dumps(fields).encode(), {"message-id": "ID:1"}, T + 2 * DAY)
