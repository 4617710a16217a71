"""The product's reading of queue messages against the oracle's, on inputs that nobody wrote by hand."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pipeline.stages.decode import decode
from schemas.envelope import RawMessage
from schemas.rules import Horizon
from schemas.topics import BROKER_TOPICS
from tests.support.fts_messages import T
from tests.support.oracle import expect
from tests.support.oracle_messages import Unusable
from tests.support.oracle_queues import queue_samples, queue_windows, read_report
from tests.support.queue_messages import DATA
from tests.support.traffic import queue_messages

PAIR = ("eosatlas.cern.ch", "dcache-atlas-webdav.desy.de")
VALUES: tuple[Any, ...] = (
    *(None, "", " ", 0, "0", 1, "7", "7.0", 7.5, -1, True, [], {}, [[]], "x", "NaN", "1e3", 2**53, 2**53 + 1, "5 %"),
    *("inf%", "A.B.Org:123", "host.", "[::1]:80", "invalid hostname", "https://H.x:8/y", "\0a", "11:01:36.12"),
    *("23:59:59", "24:00:00", "2026-11-22T02:00:01", "1795312800000.000000", [{"links": {}}], {"channel_name": 3}),
)


def what_the_product_reads(topic: str, body: bytes, received_ms: int | None) -> Any:
    decoded = decode([RawMessage(BROKER_TOPICS[topic], topic, body, {}, received_ms, "f:1", "f:1")], Horizon())
    if decoded.dead:
        return decoded.dead[0].reason
    (report,) = decoded.reports
    samples = {
        (report.fts, report.event_ms, *s[:4]): dict(
            zip(("active", "ready", "ratio", "channel_type"), s[4:], strict=True)
        )
        for s in report.samples
    }
    return report.event_ms, report.received_ms, report.fts, samples


def what_the_oracle_reads(topic: str, body: bytes, received_ms: int | None) -> Any:
    try:
        report = read_report(topic, body, received_ms)
    except Unusable as trouble:
        return trouble.args[0]
    return report.event_ms, report.received_ms, report.fts, queue_samples([report])


def changed(rng: Random, value: Any) -> Any:
    """The value with, here and there, something unusual in its place."""
    if rng.random() < 0.06:
        return rng.choice(VALUES)
    if isinstance(value, dict):
        return {name: changed(rng, inner) for name, inner in value.items() if rng.random() > 0.03}
    return [changed(rng, inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(8))
def test_parser_and_oracle_read_the_same_samples_or_refuse_for_the_same_reason(seed: int) -> None:
    rng = Random(seed)
    for message in queue_messages(rng, 300):
        body = json.dumps(changed(rng, json.loads(message.body))).encode()
        if rng.random() < 0.2:
            body = body.replace(b'"vos"', b'"vo"').replace(b'"channels"', b'"channel"')
        if rng.random() < 0.1:
            at = rng.randrange(len(body))
            body = body[:at] + rng.choice([b"", b"\xff", b"}", b"\x04"]) + body[at + 1 :]
        for received_ms in (message.received_ms, T, None):
            mine = what_the_oracle_reads(message.topic, body, received_ms)
            assert what_the_product_reads(message.topic, body, received_ms) == mine, body


def test_the_oracle_counts_repeated_keys_by_hand(tmp_path: Path) -> None:
    expected = expect(DATA / "samples.jsonl", lambda host, at_ms: ("", ""))
    assert (expected.received, expected.stored, expected.duplicate, expected.dead) == (7, 6, 0, 1)
    assert len(expected.queues) == 4 + 18 + 5 + 1
    total = expected.queues["fts22-t0-export.cern.ch", 1_333_108_800_000, "atlas", "CERN-CERN", "", ""]
    assert total == {"active": 512, "ready": 7, "ratio": 102.4, "channel_type": "urlcopy"}
    window = queue_windows(expected.queues)[1_722_470_400_000, "fts3-atlas.cern.ch", "", "", *PAIR]
    assert (window["active_last"], window["ready_max"], window["ratio_avg"], window["samples"]) == (18, 140, None, 1)
