"""The product's reading of xrootd records against the oracle's, on records that nobody wrote by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.stages.decode import decode
from schemas.envelope import RawMessage
from schemas.rules import Horizon
from tests.support.oracle_messages import Unusable
from tests.support.oracle_windows import durations, interval_fate
from tests.support.oracle_xrootd import read_records
from tests.support.xrootd_messages import SAMPLES, sample
from tests.support.xrootd_traffic import KIND_OF, write_traffic

FATES = ("spread", "none", "empty", "ignored")
TOPIC_OF = {kind: topic for topic, kind in reversed(KIND_OF.items())} | {"xrootd.gled": "xrdpop.fax_popularity"}
MENDED = ("constructed_gled_2012.txt", "constructed_tpc_unescaped.txt", "constructed_cmssw_packet.txt")
"""Broken as their producers broke them: how these are mended is told by tests of their own."""


def product(topic: str, body: bytes, received_ms: int | None) -> Any:
    decoded = decode([RawMessage(KIND_OF[topic], topic, body, {}, received_ms, "f:1", "f:1")], Horizon())
    if decoded.dead:
        return decoded.dead[0].reason
    return [
        (
            *(e.technology, e.vo, e.src.host, e.dst.host, e.direction, e.bytes, e.state, e.event_ms, e.received_ms),
            *(e.started_ms, e.durations[0], FATES[e.interval], e.fts, e.activity),
        )
        for e in decoded.completes
    ]


def oracle(topic: str, body: bytes, received_ms: int | None) -> Any:
    try:
        read = read_records(topic, body, received_ms, "f:1")
    except Unusable as trouble:
        return trouble.args[0]
    return [
        (
            *(e.technology, e.vo, e.src_host, e.dst_host, e.direction, e.bytes, e.state, e.event_ms, e.received_ms),
            *(e.times.get("timestamp_tr_st"), durations(e)["streaming"], interval_fate(e), e.fts, e.activity),
        )
        for e in read
    ]


@pytest.mark.parametrize("seed", range(4))
def test_generated_records_are_read_alike(seed: int, tmp_path: Path) -> None:
    write_traffic(tmp_path / "traffic.jsonl", 1500, seed)
    reasons = set()
    identities: dict[Any, Any] = {}
    for line in (tmp_path / "traffic.jsonl").read_text().splitlines():
        recorded = json.loads(line)
        message = (recorded["topic"], recorded["body"].encode(), recorded["received"])
        mine, theirs = product(*message), oracle(*message)
        assert mine == theirs, recorded
        if isinstance(mine, str):
            reasons.add(mine)
        else:
            raw = RawMessage(KIND_OF[message[0]], *message[:2], {}, message[2], "", "")
            for event, told in zip(decode([raw], Horizon()).completes, read_records(*message, ""), strict=True):
                assert identities.setdefault(told.dedupe, event.dedupe) == event.dedupe
    assert len(set(identities.values())) == len(identities)
    assert reasons == {"bad_time", "no_time", "bad_bytes", "future"}


@pytest.mark.parametrize("name", [name for name in SAMPLES if name not in MENDED])
def test_samples_are_read_alike(name: str) -> None:
    topic = TOPIC_OF[SAMPLES[name]]
    assert product(topic, sample(name), None) == oracle(topic, sample(name), None)
