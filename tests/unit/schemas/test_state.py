"""State messages: what each field becomes, and what makes one unusable. All are constructed: no real one is public."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.deadletters import REASONS, Malformed
from schemas.fts_state import FILE_STATES, parse_state
from schemas.keys import routing_key
from schemas.rules import Horizon
from schemas.topics import FTS_STATE
from tests.support.fts_messages import ABSENT, DAY, HOUR, MINUTE, SECOND, T, complete, raw, start, state, state_fields


def test_a_state_message_of_today() -> None:
    event = state()
    assert (event.event_ms, event.received_ms, event.submitted_ms) == (T, T + HOUR, T - 10 * MINUTE)
    assert (event.fts, event.source, event.vo) == ("fts3.example.org", "fts3.example.org", "atlas")
    assert (event.job_id, event.file_id, event.state, event.job_state) == ("job-1", "7", "ACTIVE", "ACTIVE")
    assert (event.src_host, event.dst_host) == ("a.x.org", "b.y.org")
    assert (event.wait_ms, event.staging_ms, event.retry) == (10 * MINUTE, None, 0)


def test_it_has_the_key_of_its_start_and_complete() -> None:
    event = state()
    assert (event.key_hash, event.key_order) == (start().key_hash, start().key_order)
    assert event.key_hash == complete().key_hash
    assert routing_key(json.dumps(state_fields()).encode()) == "7__job-1"


def test_a_submission_by_rest_tells_its_time_as_a_fraction_of_ms_and_is_the_submit_time() -> None:
    event = state(file_state="SUBMITTED", timestamp=T + 0.25, submit_time=ABSENT, reason=ABSENT, user_filesize=ABSENT)
    assert (event.event_ms, event.submitted_ms) == (T, T)
    assert (event.wait_ms, event.reason) == (None, "")


def test_a_file_from_tape_waits_from_the_end_of_its_staging() -> None:
    event = state(staging_start=T - 8 * MINUTE, staging_finished=T - 3 * MINUTE)
    assert (event.wait_ms, event.staging_ms) == (3 * MINUTE, 5 * MINUTE)


@pytest.mark.parametrize("other", sorted(FILE_STATES - {"ACTIVE"}))
def test_only_the_active_one_tells_wait_and_staging_so_that_each_is_told_once(other: str) -> None:
    event = state(file_state=other, staging_start=T - 8 * MINUTE, staging_finished=T - 3 * MINUTE)
    assert (event.state, event.wait_ms, event.staging_ms) == (other, None, None)


@pytest.mark.parametrize(
    ("changes", "wait"),
    [
        ({"submit_time": 0}, None),
        ({"submit_time": T + SECOND}, None),
        ({"submit_time": T}, 0),
        ({"submit_time": T - 7 * DAY}, 7 * DAY),
        ({"submit_time": T - 7 * DAY - 1}, None),
        ({"submit_time": 0, "staging_start": T - 2, "staging_finished": T - 1}, None),
    ],
)
def test_a_wait_that_cannot_be_believed_is_none(changes: dict[str, Any], wait: int | None) -> None:
    assert state(**changes).wait_ms == wait


def test_hosts_come_from_the_storages_else_from_the_urls() -> None:
    event = state(source_se="srm://SE1.x.org:8443", dest_se="")
    assert (event.src_host, event.dst_host) == ("se1.x.org", "b.y.org")
    event = state(source_se=ABSENT, src_url="", dest_se=None, dst_url=ABSENT)
    assert (event.src_host, event.dst_host) == ("unknown", "unknown")


def test_the_dedupe_key_is_instance_job_file_state_and_time() -> None:
    first = state()
    assert state(reason="again", retry_counter=3, job_state="FAILED").dedupe == first.dedupe
    for changes in ({"endpnt": "other"}, {"job_id": "job-2"}, {"file_id": 8}, {"file_state": "READY"}):
        assert state(**changes).dedupe != first.dedupe


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"job_id": ABSENT}, "no_id"),
        ({"file_id": ""}, "no_id"),
        ({"file_state": "RESTING"}, "unknown_state"),
        ({"file_state": ABSENT}, "unknown_state"),
        ({"timestamp": 0}, "no_time"),
        ({"timestamp": ABSENT}, "no_time"),
        ({"timestamp": "soon"}, "bad_time"),
        ({"submit_time": "yesterday"}, "bad_time"),
        ({"staging_start": [1]}, "bad_time"),
        ({"timestamp": T + 26 * HOUR}, "future"),
        ({"timestamp": T - 31 * DAY}, "too_old"),
    ],
)
def test_what_cannot_be_used_has_its_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Malformed) as refused:
        state(**changes)
    assert refused.value.reason == reason


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.lists(st.integers(), max_size=2)
)


@given(st.dictionaries(st.sampled_from(sorted(state_fields())), VALUES, max_size=6))
def test_any_value_anywhere_gives_an_event_or_a_reason(changes: dict[str, Any]) -> None:
    body = json.dumps(state_fields(**changes)).encode()
    reason = None
    try:
        event = parse_state(raw(FTS_STATE, body), Horizon())
    except Malformed as refused:
        reason = refused.reason
    else:
        assert event.state in FILE_STATES
        assert event.wait_ms is None or 0 <= event.wait_ms <= 7 * DAY
    assert reason is None or reason in REASONS
