"""Whatever a body holds, it becomes an event that Postgres can take, or a dead letter with a known reason; no error."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from schemas import topics
from schemas.deadletters import REASONS, Malformed
from schemas.envelope import RawMessage
from schemas.events import Complete, Start
from schemas.fts import parse_complete, parse_start
from schemas.rules import Horizon
from schemas.times import MAX_MS
from tests.support.fts_messages import complete_fields, raw, start_fields
from tests.support.oracle_messages import COMPLETE_TIMES

PARSERS: dict[str, Callable[[RawMessage, Horizon], Start | Complete]] = {
    topics.FTS_START: parse_start,
    topics.FTS_COMPLETE: parse_complete,
}
FIELDS = {topics.FTS_START: start_fields(), topics.FTS_COMPLETE: complete_fields()}
KINDS = st.sampled_from(sorted(PARSERS))

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=5,
)


def check(kind: str, body: bytes) -> None:
    outcome: Start | Complete | Malformed
    try:
        outcome = PARSERS[kind](raw(kind, body, received_ms=None), Horizon())
    except Malformed as refused:
        outcome = refused
    if isinstance(outcome, Malformed):
        event(outcome.reason)
        assert outcome.reason in REASONS
        assert 0 < len(outcome.detail) < 400
        assert_storable(outcome.detail)
    else:
        event("read")
        assert_fits(outcome)


def assert_fits(read: Start | Complete) -> None:
    bigints = [read.key_hash, read.key_order, read.dedupe]
    texts = [read.fts, read.agent, read.transfer_id, read.job_id, read.file_id, read.vo, read.activity, read.channel]
    for side in (read.src, read.dst):
        texts += [side.host, side.url, side.rse, side.token]
    if isinstance(read, Complete):
        texts += [read.channel_type, read.protocol, read.ipver, read.error_scope, read.error_phase]
        texts += [read.error_category, read.error_code, read.error_message]
        bigints += [read.bytes, *(d for d in read.durations if d is not None)]
        bigints += [number for number in (read.file_size, read.retry, read.retry_max) if number is not None]
    for text in texts:
        assert_storable(text)
    assert all(-(2**63) <= number < 2**63 for number in bigints)
    assert 0 < read.event_ms <= MAX_MS
    assert read.src.host
    assert read.dst.host
    assert read.vo


def assert_storable(text: str) -> None:
    assert "\0" not in text
    text.encode()  # raises for lone surrogates


@given(KINDS, st.binary(max_size=200))
@example(topics.FTS_START, b'{"timestamp": "1e-999999999"}')
@example(topics.FTS_COMPLETE, b'{"data": {"data": {"data": []}}}')
@example(topics.FTS_START, b'{"file_metadata": {"\\ud800": 1}}')
@example(topics.FTS_COMPLETE, b'{"t_final_transfer_state": "\xff\\ud800"}')
def test_any_bytes(kind: str, body: bytes) -> None:
    check(kind, body)


@given(KINDS, st.data())
@settings(max_examples=400)
def test_any_json_in_any_field(kind: str, data: st.DataObject) -> None:
    names = st.sampled_from([*FIELDS[kind], "data", "agent_fqdn", "retry", *COMPLETE_TIMES])
    changes: dict[str, Any] = data.draw(st.dictionaries(names, JSON, min_size=1, max_size=3))
    check(kind, json.dumps(FIELDS[kind] | changes).encode())


@given(KINDS, st.binary(max_size=30), st.integers(min_value=0, max_value=600))
def test_any_bytes_over_those_of_a_good_body(kind: str, noise: bytes, where: int) -> None:
    body = json.dumps(FIELDS[kind]).encode()
    check(kind, body[:where] + noise + body[where + len(noise) :])
