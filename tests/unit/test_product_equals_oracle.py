"""The product's parsers and pairing against the oracle's, on inputs that nobody wrote by hand."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.simulator import Mix, SimMessage, simulate
from pipeline.stages.decode import Decoded, decode
from pipeline.stages.pair import pair
from schemas.envelope import RawMessage
from schemas.rules import Horizon
from schemas.topics import BROKER_TOPICS
from tests.support.oracle import pairs_of_key
from tests.support.oracle_messages import (
    COMPLETE_TOPIC,
    STAGES,
    START_TOPIC,
    Complete,
    Start,
    State,
    Unusable,
    read_message,
)
from tests.support.oracle_windows import durations

T = 1_795_312_800_000
TIMES: tuple[Any, ...] = (
    *(0, "0", "0.000000", -1, "-1", 1.5, "1321612263000.000000", 1493217334.563, "1493217334.563", "1e12", ".5", "5."),
    *(1_795_312_800_000_999, "253402300800", 0.0004, "NaN", "1_0", "٣", "0x10", "  12  ", 2**63, 1e15),
    *("2026-11-22T02:00:01.2345Z", "2026-11-22 02:00:01+01:00", "20261122T020001Z", "2026-W47-7", "24:00"),
)
TEXTS: tuple[Any, ...] = (
    *(None, "", " spaced ", [], {}, True, "\0a", "\ud800", "A.B.Org:123", "host.", "[::1]:80", "::1", "h/p"),
    *("invalid hostname", "Invalid Hostname", "https://H.x:8/y", "srm://u@H.X.:1/z", "ABORTED", " Error ", "7"),
    *("2026-11-22-0200__a__b__7__job", "2026-11-22-0200__a__b__x__job"),
)
SEEDS = list(simulate(600, seed=1, begin_ms=T, mix=Mix(poison=0.05, fts2=0.1, monit=0.1)))


def product(topic: str, body: bytes, received_ms: int | None, ref: str = "f:1") -> Decoded:
    return decode([RawMessage(BROKER_TOPICS[topic], topic, body, {}, received_ms, ref, ref)], Horizon())


def what_the_product_reads(topic: str, body: bytes, received_ms: int | None) -> Any:
    decoded = product(topic, body, received_ms)
    if decoded.dead:
        return decoded.dead[0].reason
    event = (decoded.starts or decoded.completes)[0]
    facts = [event.event_ms, event.received_ms, event.fts, event.agent, event.transfer_id, event.job_id, event.file_id]
    facts += [event.vo, event.activity, event.channel, event.src.host, event.dst.host]
    for end in decoded.completes:
        facts += [end.state, end.bytes, end.started_ms, end.never_pairs, *end.durations[: len(STAGES)]]
    return facts


def what_the_oracle_reads(topic: str, body: bytes, received_ms: int | None) -> Any:
    try:
        event = read_message(topic, body, received_ms, "f:1")
    except Unusable as trouble:
        return trouble.args[0]
    assert not isinstance(event, State)
    facts = [event.event_ms, event.received_ms, event.fts, event.agent, event.transfer_id, event.job_id, event.file_id]
    facts += [event.vo, event.activity, event.channel, event.src_host, event.dst_host]
    if isinstance(event, Complete):
        facts += [event.state, event.bytes, event.times.get("tr_timestamp_start"), event.start_was_zero]
        facts += durations(event).values()
    return facts


def with_other_values(rng: Random, body: bytes) -> bytes:
    """The message with up to three fields gone or holding something unusual."""
    try:
        message = json.loads(body.decode("utf-8", "replace").strip(" \x04\0"))
    except (ValueError, RecursionError):
        return body
    if not isinstance(message, dict):
        return body
    fields = message["data"] if isinstance(message.get("data"), dict) else message
    for name in rng.sample(sorted(fields), k=min(len(fields), rng.randint(1, 3))):
        if rng.random() < 0.15:
            del fields[name]
        else:
            numeric = isinstance(fields[name], int) or "time" in name or name.startswith("tr_bt")
            fields[name] = rng.choice(TIMES if numeric and rng.random() < 0.7 else TEXTS)
    return json.dumps(message, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def with_other_bytes(rng: Random, body: bytes) -> bytes:
    """The message with one byte changed, lost or added."""
    at = rng.randrange(len(body) + 1)
    instead = rng.choice([b"", bytes([rng.randrange(256)]), b"\x04", b'"', b"}", b"\\"])
    return body[:at] + instead + body[at + rng.randint(0, 1) :]


@pytest.mark.parametrize("change", [with_other_values, with_other_bytes])
@pytest.mark.parametrize("seed", range(10))
def test_parsers_and_oracle_read_the_same_facts_or_refuse_for_the_same_reason(change: Any, seed: int) -> None:
    rng = Random(seed)
    for _ in range(250):
        message: SimMessage = rng.choice(SEEDS)
        body = change(rng, message.body)
        for received_ms in (message.received_ms, None):
            mine = what_the_oracle_reads(message.topic, body, received_ms)
            assert what_the_product_reads(message.topic, body, received_ms) == mine, body


seconds = st.integers(0, 200)
instances = st.sampled_from(["", "fts3.cern.ch", "fts-b.cern.ch"])
agents = st.sampled_from(["", "fts501.cern.ch", "fts502.cern.ch"])
start_bodies = st.builds(
    lambda at, fts, agent, minute: {
        "transfer_id": f"2026-11-22-020{minute}__a__b__7__j",
        "timestamp": T + at * 1000,
        "endpnt": fts,
        "agent_fqdn": agent,
    },
    seconds,
    instances,
    agents,
    st.integers(0, 1),
)
complete_bodies = st.builds(
    lambda began, end, fts, agent, state, volume: {
        "tr_id": "2026-11-22-0201__a__b__7__j",
        "tr_timestamp_start": T + began * 1000 if isinstance(began, int) else began,
        "tr_timestamp_complete": T + end * 1000,
        "endpnt": fts,
        "agent_fqdn": agent,
        "t_final_transfer_state": state,
        "tr_bt_transfered": volume,
    },
    st.one_of(seconds, st.sampled_from(["", "0"])),
    seconds,
    instances,
    agents,
    st.sampled_from(["Ok", "Error", "Abort"]),
    st.integers(0, 1),
)


@settings(max_examples=500, deadline=None)
@given(starts=st.lists(start_bodies, max_size=6), completes=st.lists(complete_bodies, max_size=6), rng=st.randoms())
def test_pairing_and_oracle_find_the_same_pairs_in_any_order(
    starts: list[dict[str, Any]], completes: list[dict[str, Any]], rng: Random
) -> None:
    said = [(START_TOPIC, json.dumps(body).encode()) for body in starts]
    said += [(COMPLETE_TOPIC, json.dumps(body).encode()) for body in completes]
    distinct: dict[Any, tuple[str, bytes, Start | Complete]] = {}
    for topic, body in said:
        message = read_message(topic, body, T, "f:1")
        assert not isinstance(message, State)
        distinct.setdefault((topic, message.dedupe), (topic, body, message))
    kept = list(distinct.values())
    by_ref = {f"f:{number}": message for number, (_, _, message) in enumerate(kept)}
    expected = pairs_of_key(
        [message for _, _, message in kept if isinstance(message, Start)],
        [message for _, _, message in kept if isinstance(message, Complete) and not message.start_was_zero],
    )
    order = list(enumerate(kept))
    rng.shuffle(order)
    decoded = [product(topic, body, T, f"f:{number}") for number, (topic, body, _) in order]
    found = pair(
        [start for each in decoded for start in each.starts], [end for each in decoded for end in each.completes]
    )
    assert {by_ref[end.ref].dedupe: by_ref[start.ref].dedupe for start, end in found} == {
        end: start.dedupe for end, start in expected.items()
    }
