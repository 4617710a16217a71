"""Simulated bodies: as FTS writes them, era by era."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any

import pytest

from pipeline.simulator.failures import PREPARATION
from pipeline.simulator.script import FAILED, OK, Attempt, Era, Script
from pipeline.simulator.styled import styled
from pipeline.simulator.wire import complete_body, start_body
from pipeline.simulator.world import make_world

T = 1_795_312_800_000
SAMPLES = Path(__file__).parents[2] / "data" / "fts"


def attempts(era: Era, seed: int = 1) -> Iterator[Attempt]:
    rng = Random(seed)
    script = Script(rng, make_world(rng))
    at = T
    while True:
        yield from script.next_file(at, era)
        at += 1000


def fields(body: bytes) -> dict[str, Any]:
    value = json.loads(body.decode("utf-8", "replace").strip(" \x04"))
    assert isinstance(value, dict)
    return value


def sample(name: str) -> dict[str, Any]:
    value = json.loads((SAMPLES / name).read_text())
    assert isinstance(value, dict)
    return value


def test_fts3_bodies_are_pretty_printed_with_sorted_keys_and_a_blank_at_the_end() -> None:
    for attempt in islice(attempts(Era.FTS3), 50):
        for body in (start_body(attempt), complete_body(attempt)):
            assert body.startswith(b"{\n\t")
            assert body.endswith(b"\n} ")
            names = re.findall(rb'^\t"(\w+)" : ', body, re.MULTILINE)
            assert names == sorted(names)
            assert set(fields(body)) == {name.decode() for name in names}


def test_bodies_are_as_long_as_real_ones() -> None:
    made = [each for each in islice(attempts(Era.FTS3), 1000) if each.reported_ms]
    assert 800 <= mean(len(start_body(each)) for each in made) <= 1400
    assert 2000 <= mean(len(complete_body(each)) for each in made) <= 3200


def test_an_fts3_complete_has_every_field_of_the_one_recorded_in_2017() -> None:
    recorded = set(sample("complete_2017-04-26_monit.json")["data"])
    made_by_monit = {"latency", "log_link", "remote_access", "user"}
    gone_since = {"ipv6"}
    made = fields(complete_body(next(attempts(Era.FTS3))))
    assert recorded - made_by_monit - gone_since <= set(made)


@pytest.mark.parametrize(("era", "without"), [(Era.FTS2_2011, set()), (Era.FTS2_2012, {"channel_type"})])
def test_fts2_bodies_have_the_fields_of_the_recorded_ones(era: Era, without: set[str]) -> None:
    attempt = next(attempts(era))
    assert set(fields(start_body(attempt))) == set(sample("start_2011-11-18.json"))
    process = {"tr_timestamp_start", "tr_timestamp_complete"} if era is Era.FTS2_2012 else set()
    assert set(fields(complete_body(attempt))) == set(sample("complete_2011-11-18.json")) | process | without


def test_fts2_bodies_are_one_line_of_text_values_that_ends_in_0x04() -> None:
    for attempt in islice(attempts(Era.FTS2_2012), 50):
        for body in (start_body(attempt), complete_body(attempt)):
            assert body.startswith(b' {"')
            assert body.endswith(b'"}\x04')
            assert all(isinstance(value, str) for value in fields(body).values())
        assert re.fullmatch(r"\d{13}\.000000", fields(start_body(attempt))["timestamp"])
        assert fields(start_body(attempt))["timestamp"].endswith("000.000000")


def test_monit_wraps_the_same_facts_and_turns_two_numbers_into_text() -> None:
    attempt = next(attempts(Era.MONIT))
    wrapped = fields(complete_body(attempt))
    plain = fields(complete_body(attempt._replace(file=attempt.file._replace(era=Era.FTS3))))
    assert wrapped["metadata"]["event_timestamp"] == attempt.event_ms
    assert wrapped["data"]["file_id"] == str(plain["file_id"])
    assert wrapped["data"]["t_error_code"] == str(plain["t_error_code"])
    texts = ("file_id", "t_error_code")
    assert {k: v for k, v in wrapped["data"].items() if k not in texts} == {
        k: v for k, v in plain.items() if k not in texts
    }
    assert b"\n" not in complete_body(attempt)


def test_ids_of_fts3_hold_the_minute_in_which_each_message_was_made() -> None:
    crossing = next(a for a in attempts(Era.FTS3) if a.reported_ms and a.event_ms - a.reported_ms > 60_000)
    start, complete = fields(start_body(crossing)), fields(complete_body(crossing))
    assert start["transfer_id"][:15] != complete["tr_id"][:15]
    assert start["transfer_id"][15:] == complete["tr_id"][15:]
    assert start["transfer_id"].startswith("2026-11-22-")
    assert start["transfer_id"].endswith(f"__{start['file_id']}__{start['job_id']}")
    assert (start["file_id"], start["job_id"]) == (complete["file_id"], complete["job_id"])


def test_ids_of_fts2_are_the_same_in_both_messages() -> None:
    attempt = next(attempts(Era.FTS2_2011))
    start, complete = fields(start_body(attempt)), fields(complete_body(attempt))
    assert start["transfer_id"] == complete["tr_id"]
    assert start["transfer_id"].startswith(f"{start['t_channel']}__2026-11-22-")
    assert re.fullmatch(r"fts5\d\d\.cern\.ch", start["agent_fqdn"])
    assert "agent_fqdn" not in complete


def test_retries_keep_job_and_file_and_begin_minutes_after_the_attempt_before() -> None:
    by_file: dict[int, list[Attempt]] = {}
    for attempt in islice(attempts(Era.FTS3), 2000):
        by_file.setdefault(attempt.file.file_id, []).append(attempt)
    retried = [tries for tries in by_file.values() if len(tries) > 1]
    assert len(retried) > 50
    for tries in retried:
        assert len({each.file.job_id for each in tries}) == 1
        assert [each.number for each in tries] == list(range(len(tries)))
        for before, after in pairwise(tries):
            assert before.state == FAILED
            assert (after.begin_ms or after.event_ms) - before.event_ms >= 120_000


def test_a_failure_is_told_with_scope_phase_category_code_and_text() -> None:
    failed = next(a for a in attempts(Era.FTS3) if a.state == FAILED and a.failure and a.failure.phase == PREPARATION)
    assert failed.failure
    told = fields(complete_body(failed))
    assert told["t_final_transfer_state"] == "Error"
    assert told["t_final_transfer_state_flag"] == 0
    assert told["t_error_code"] == failed.failure.code
    assert told["tr_error_scope"] == failed.failure.scope
    assert told["t_failure_phase"] == "TRANSFER_PREPARATION"
    assert told["tr_bt_transfered"] == told["timestamp_tr_st"] == 0
    assert told["t__error_message"]


def test_derived_numbers_have_the_flaws_of_the_real_ones() -> None:
    cut_off = next(a for a in attempts(Era.FTS3) if a.streaming[0] and not a.streaming[1])
    told = fields(complete_body(cut_off))
    assert told["transfer_time"] == -cut_off.streaming[0]
    assert told["throughput"] == -1.0
    assert b'"throughput" : -1.0' in complete_body(cut_off)
    unfinished = next(a for a in attempts(Era.FTS3) if a.srm_prep[0] and not a.srm_prep[1])
    assert fields(complete_body(unfinished))["srm_overhead_time"] > 2**63


def test_a_transfer_cancelled_before_its_start_has_a_process_start_of_0_and_no_start() -> None:
    cancelled = next(a for a in attempts(Era.FTS3) if not a.begin_ms)
    told = fields(complete_body(cancelled))
    assert (told["tr_timestamp_start"], told["t_final_transfer_state"]) == (0, "Abort")
    assert told["tr_timestamp_complete"] == cancelled.event_ms
    assert cancelled.reported_ms == 0


def test_some_texts_are_not_utf8() -> None:
    bodies = [complete_body(a) for a in islice(attempts(Era.FTS3), 3000) if a.state == FAILED]
    assert any("\ufffd" in body.decode("utf-8", "replace") for body in bodies)


def test_metadata_comes_as_object_null_and_empty_text() -> None:
    found = {json.dumps(fields(start_body(a))["file_metadata"])[:2] for a in islice(attempts(Era.FTS3), 400)}
    assert found == {'{"', "nu", '""'}


def test_stages_follow_each_other() -> None:
    for attempt in islice(attempts(Era.FTS3), 2000):
        if attempt.state == OK and attempt.streaming[0] > T and attempt.streaming[1] <= attempt.event_ms:
            times = [attempt.begin_ms, *attempt.srm_prep, *attempt.streaming, *attempt.srm_fin, attempt.end_ms]
            assert times == sorted(times)
            assert attempt.bytes == attempt.file.size


def test_an_object_inside_another_stands_on_lines_of_its_own() -> None:
    inner = styled({"b": "1", "a": "2"}, depth=1)
    assert styled({"outer": inner}) == '{\n\t"outer" : \n\t{\n\t\t"a" : 2,\n\t\t"b" : 1\n\t}\n}'
