"""Whatever a body holds, it becomes events that Postgres can take, or a dead letter with a known reason; no error."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from schemas import topics
from schemas.deadletters import REASONS, Malformed
from schemas.events import Complete
from schemas.rules import Horizon
from schemas.xrootd import PARSERS
from tests.support.fts_messages import raw
from tests.support.xrootd_messages import PLAIN
from tests.unit.schemas.test_any_message import JSON, assert_fits, assert_storable

KINDS = st.sampled_from(sorted(PARSERS))
RECORDS = st.sampled_from(sorted(PLAIN))


def check(kind: str, body: bytes) -> None:
    outcome: list[Complete] | Malformed
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
        assert outcome
        for each in outcome:
            assert_fits(each)
            assert each.direction in ("read", "write", "unknown")
            assert_storable(each.user)


@given(KINDS, st.binary(max_size=200))
@example(topics.XROOTD_EOS, b"cts=1\x00&a=\xff")
@example(topics.XROOTD_GLED, b"{'a'='\\ud800'}")
@example(topics.XROOTD_EOS, b'{"data": {"data": "cts=5&x=\\ud800"}}')
@example(topics.XROOTD_TPC, b'{"Xeq": {"\\ud800": 1}}')
def test_any_bytes(kind: str, body: bytes) -> None:
    check(kind, body)


@given(RECORDS, st.data())
@settings(max_examples=400)
def test_any_json_in_any_field(kind: str, data: st.DataObject) -> None:
    names = st.sampled_from([*PLAIN[kind], "data", "remotes_origin", "user", "ipv6", "Xeq"])
    changes: dict[str, Any] = data.draw(st.dictionaries(names, JSON, min_size=1, max_size=3))
    check(kind, json.dumps(PLAIN[kind] | changes).encode())


@given(st.data())
def test_any_json_in_the_times_of_a_third_party_copy(data: st.DataObject) -> None:
    names = st.sampled_from(["Beg", "End", "RC", "Type", "IPv", "begin_transfer"])
    times = PLAIN[topics.XROOTD_TPC]["Xeq"] | data.draw(st.dictionaries(names, JSON, min_size=1, max_size=3))
    check(topics.XROOTD_TPC, json.dumps(PLAIN[topics.XROOTD_TPC] | {"Xeq": times}).encode())


@given(RECORDS, st.binary(max_size=30), st.integers(min_value=0, max_value=600))
def test_any_bytes_over_those_of_a_good_body(kind: str, noise: bytes, where: int) -> None:
    body = json.dumps(PLAIN[kind]).encode()
    check(kind, body[:where] + noise + body[where + len(noise) :])
