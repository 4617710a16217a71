"""The transfer key: one for all messages of a transfer, told without parsing, spread over shards and partitions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.keys import hash64, id_text, key_order, partition_of, routing_key, shard_of, transfer_key
from schemas.topics import SHARDS
from tests.support.fts_messages import ABSENT, complete, complete_fields, start, start_fields

FTS3_ID = "2017-04-26-1435__storm-fe.cr.cnaf.infn.it__grid002.ft.uam.es__1461431003__f9b18c10-2a8d-11e7"


@pytest.mark.parametrize(
    ("job_id", "file_id", "transfer_id", "key"),
    [
        ("job-1", "7", "anything", "7__job-1"),
        ("", "", FTS3_ID, "1461431003__f9b18c10-2a8d-11e7"),
        ("", "", FTS3_ID.replace("1435", "1434"), "1461431003__f9b18c10-2a8d-11e7"),  # another minute, one transfer
        ("job-1", "", FTS3_ID, "1461431003__f9b18c10-2a8d-11e7"),  # both or none
        ("", "7", "RAL-CERN__2011-11-18-1031_OlJgnE", "RAL-CERN__2011-11-18-1031_OlJgnE"),
        ("", "", "RAL-CERN__2011-11-18-1031_OlJgnE", "RAL-CERN__2011-11-18-1031_OlJgnE"),
        ("", "", "2017-04-26-1435__a__b__file__job", "2017-04-26-1435__a__b__file__job"),  # no number: no FTS3 id
        ("", "", "2017-04-26-1435__a__b__7__", "2017-04-26-1435__a__b__7__"),
        ("", "", "2017-04-26-1435__a__7__job", "7__job"),
        ("", "", "17-04-26-1435__a__b__7__job", "17-04-26-1435__a__b__7__job"),
        ("", "", "", ""),
    ],
)
def test_the_key_is_job_and_file_else_those_in_the_id_else_the_id(
    job_id: str, file_id: str, transfer_id: str, key: str
) -> None:
    assert transfer_key(job_id, file_id, transfer_id) == key


def test_messages_with_and_without_job_and_file_meet_in_one_key() -> None:
    today = complete(job_id="f9b18c10-2a8d-11e7", file_id="1461431003", tr_id=FTS3_ID)
    before_2022 = start(job_id=ABSENT, file_id=ABSENT, transfer_id=FTS3_ID.replace("1435", "1434"))
    assert today.key_hash == before_2022.key_hash
    assert today.key_order == before_2022.key_order == 1_461_431_003


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        ("7", "7"),
        (" 7 ", "7"),
        (7.0, "7"),
        (1.461431003e9, "1461431003"),
        (7.5, ""),
        (float("inf"), ""),
        (None, ""),
        (True, ""),
        ([7], ""),
        ({}, ""),
    ],
)
def test_an_id_is_the_same_as_number_and_as_text(value: Any, text: str) -> None:
    assert id_text(value) == text


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("1461431003__job", "1461431004__job"),
        ("999__b", "1000__a"),
        ("RAL-CERN__2011-11-18-1031_OlJgnE", "CERN-RAL__2011-11-18-1032_AAAAAA"),
        ("RAL-CERN__2011-11-18-1031_OlJgnE", "RAL-CERN__2012-01-01-0000_OlJgnE"),
        ("2017-04-26-1435__a__b__x__y", "2017-04-26-1436__a__b__x__y"),
    ],
)
def test_the_order_of_a_key_rises_with_time(earlier: str, later: str) -> None:
    assert key_order(earlier) < key_order(later)


@given(st.text())
def test_the_order_of_any_key_fits_a_bigint(key: str) -> None:
    assert 0 <= key_order(key) < 2**63


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_a_hash_of_any_text_fits_a_bigint_and_never_changes(text: str) -> None:
    assert -(2**63) <= hash64(text) < 2**63
    assert hash64(text) == hash64(text)


def test_hashes_are_those_that_are_stored() -> None:
    # Stored rows and Kafka partitions hold these: another function would need a migration.
    assert hash64("7__job-1") == -6_318_743_736_112_858_704
    assert hash64("") == 3_244_421_341_483_603_138


@given(st.text(min_size=1), st.sampled_from([1, 2, 4, 8, 16, 32, 64]))
def test_writers_of_different_partitions_share_no_shard(key: str, partitions: int) -> None:
    shard = shard_of(hash64(key))
    assert 0 <= shard < SHARDS
    assert partition_of(key, partitions) == shard % partitions


@given(st.text(min_size=1), st.integers(min_value=1, max_value=200))
def test_a_partition_is_one_of_those_that_are_there(key: str, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions


IDS = st.one_of(
    st.just(ABSENT),
    st.none(),
    st.integers(min_value=0, max_value=10**12),
    st.text(max_size=12),
    st.sampled_from([FTS3_ID, "job-1", "7", "RAL-CERN__2011-11-18-1031_OlJgnE"]),
)


@given(job_id=IDS, file_id=IDS, transfer_id=st.one_of(IDS, st.just("x")), in_envelope=st.booleans())
def test_the_key_that_places_a_body_is_the_key_of_the_message_in_it(
    job_id: Any, file_id: Any, transfer_id: Any, in_envelope: bool
) -> None:
    fields = complete_fields(job_id=job_id, file_id=file_id, tr_id=transfer_id)
    key = routing_key(json.dumps({"data": fields, "metadata": {}} if in_envelope else fields).encode())
    changes = {"job_id": job_id, "file_id": file_id, "tr_id": transfer_id}
    if key and "\0" not in key:
        assert hash64(key) == complete(**changes).key_hash


@pytest.mark.parametrize("fields", [start_fields(), complete_fields()])
@pytest.mark.parametrize("frame", [b"%s", b" %s\x04", b"%s "])
def test_start_and_complete_of_one_transfer_go_to_one_partition(fields: dict[str, Any], frame: bytes) -> None:
    assert routing_key(frame % json.dumps(fields).encode()) == "7__job-1"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"data": [1]}', b'{"job_id": {"a": 1}}', b"null"]
)
def test_a_body_without_a_key_is_no_error(body: bytes) -> None:
    assert routing_key(body) == ""
