"""Real messages of 2011, 2012 and 2017 (tests/data/fts/ORIGIN.md), and the same in the frames of their days."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.deadletters import Malformed
from schemas.events import INTERVAL_USED, STAGES
from schemas.fts import parse_complete, parse_start
from schemas.keys import hash64
from schemas.rules import Horizon
from schemas.topics import FTS_COMPLETE, FTS_START
from tests.support.fts_messages import raw

DATA = Path(__file__).parents[2] / "data" / "fts"
FRAMES = [b"%s", b" %s\x04", b"%s\x04", b"%s "]


def sample(name: str) -> bytes:
    return (DATA / name).read_bytes()


@pytest.mark.parametrize("frame", FRAMES)
def test_the_start_of_2011(frame: bytes) -> None:
    event = parse_start(raw(FTS_START, frame % sample("start_2011-11-18.json"), None), Horizon())
    assert event.event_ms == event.received_ms == 1_321_612_263_000  # 2011-11-18T10:31:03Z
    assert (event.fts, event.agent) == ("fts-pilot-service.cern.ch", "fts501.cern.ch")
    assert event.transfer_id == "RAL-CERN__2011-11-18-1031_OlJgnE"
    assert (event.job_id, event.file_id) == ("", "")
    assert event.key_hash == hash64("RAL-CERN__2011-11-18-1031_OlJgnE")
    assert event.key_order == 201_111_181_031
    assert (event.vo, event.activity, event.channel) == ("cms", "unknown", "RAL-CERN")
    assert (event.src.host, event.dst.host) == ("srm-cms.gridpp.rl.ac.uk", "srm-cms.cern.ch")
    assert (event.src.token, event.dst.token) == ("", "CMS_DEFAULT")


@pytest.mark.parametrize("frame", FRAMES)
def test_the_complete_of_2011_has_no_process_times(frame: bytes) -> None:
    event = parse_complete(raw(FTS_COMPLETE, frame % sample("complete_2011-11-18.json"), None), Horizon())
    assert event.event_ms == 1_321_612_309_000  # the latest of its own times
    assert (event.started_ms, event.never_pairs) == (None, False)
    assert (event.state, event.bytes, event.file_size) == ("ok", 2_684_354_560, 2_684_354_560)
    assert dict(zip(STAGES, event.durations, strict=True)) == {
        "streaming": 30_000,
        "total": None,
        "srm_prep": 13_000,
        "srm_fin": 2_000,
        "checksum_src": 7_000,
        "checksum_dst": 0,
        "throughput": 89_478_485,
    }
    assert (event.interval, event.moved_from_ms, event.moved_to_ms) == (
        INTERVAL_USED,
        1_321_612_277_000,
        1_321_612_307_000,
    )
    assert event.dst.token == "cms:CMS_DEFAULT"
    assert (event.error_code, event.error_message, event.retry) == ("", "", None)


def test_the_complete_of_2017_in_the_envelope_of_monit() -> None:
    event = parse_complete(raw(FTS_COMPLETE, sample("complete_2017-04-26_monit.json"), None), Horizon())
    assert event.event_ms == 1_493_217_344_240
    assert event.started_ms == 1_493_217_290_323
    assert (event.fts, event.agent, event.vo) == ("fts3.cern.ch", "", "atlas")
    assert event.activity == "Data Consolidation"
    assert (event.job_id, event.file_id) == ("f9b18c10-0132-51df-b341-3031a0a9ea39", "1461431003")
    assert (event.src.rse, event.dst.rse) == ("INFN-T1_DATADISK", "UAM-LCG2_DATADISK")
    assert (event.src.host, event.dst.host) == ("storm-fe.cr.cnaf.infn.it", "grid002.ft.uam.es")
    assert event.dst.token == "ATLASDATADISK"
    assert dict(zip(STAGES, event.durations, strict=True)) == {
        "streaming": 2_308,
        "total": 53_917,
        "srm_prep": 41_643,
        "srm_fin": 9_371,
        "checksum_src": 124,
        "checksum_dst": 36,
        "throughput": 4_574_023,
    }
    assert (event.error_code, event.retry, event.retry_max, event.file_size) == ("0", 0, 0, 10_556_847)
    assert event.key_order == 1_461_431_003


def test_the_start_of_2017_would_have_carried_another_minute_and_met_it() -> None:
    event = parse_complete(raw(FTS_COMPLETE, sample("complete_2017-04-26_monit.json"), None), Horizon())
    start_id = event.transfer_id.replace("2017-04-26-1435", "2017-04-26-1434")
    fields = {"transfer_id": start_id, "timestamp": 1_493_217_290_400}
    start = parse_start(raw(FTS_START, fields, None), Horizon())
    assert (start.key_hash, start.key_order) == (event.key_hash, event.key_order)


@pytest.mark.parametrize(
    ("name", "parse"), [("draft_start_2012.json", parse_start), ("draft_complete_2012.json", parse_complete)]
)
def test_drafts_with_comments_are_not_json(name: str, parse: type[object]) -> None:
    with pytest.raises(Malformed, match="not JSON") as refused:
        parse(raw(FTS_START, sample(name)), Horizon())  # type: ignore[call-arg]
    assert refused.value.reason == "not_json"
