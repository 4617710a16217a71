"""What a message says stands in the columns that are meant for it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest import Ingest
from pipeline.recording import Recording
from schemas.envelope import RawMessage
from schemas.topics import BROKER_TOPICS, FTS_COMPLETE, FTS_START
from tests.support.database import Database
from tests.support.fts_messages import HOUR, SECOND, T, complete_fields, raw, start_fields

pytestmark = pytest.mark.stack

SAMPLES = Path(__file__).parents[1] / "data" / "fts" / "samples.jsonl"


def row(database: Database, view: str) -> dict[str, Any]:
    (columns,) = database.ask(f"SELECT row_to_json(v) FROM report.{view} AS v")
    return dict(columns[0])


def utc(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).isoformat()


def test_a_failed_attempt_with_its_start(ingest: Ingest, database: Database) -> None:
    started = start_fields(agent_fqdn="agent.example.org", timestamp=T + 2 * SECOND)
    ended = complete_fields(
        t_final_transfer_state="Error",
        channel_type="urlcopy",
        protocol="davs",
        ipver="ipv6",
        tr_error_scope="DESTINATION",
        t_failure_phase="TRANSFER_FINALIZATION",
        tr_error_category="NO_SPACE_LEFT_ON_DEVICE",
        t_error_code=28,
        t__error_message="DESTINATION [28] No space left",
        retry=2,
        retry_max=3,
        file_size=2000,
        time_srm_prep_st=T,
        time_srm_prep_end=T + 5,
        time_srm_fin_st=T,
        time_srm_fin_end=T + 6,
        timestamp_chk_src_st=T,
        timestamp_chk_src_ended=T + 7,
        timestamp_checksum_dest_st=T,
        timestamp_checksum_dest_ended=T + 8,
        file_metadata={"activity": "T0 Export", "src_rse": "A_DISK", "dst_rse": "B_TAPE"},
    )
    ingest.process(
        [
            raw(FTS_START, started, T + 3 * SECOND, ref="fts.transfer-3-41", identity="1"),
            raw(FTS_COMPLETE, ended, T + HOUR, ref="fts.transfer-3-42", identity="2"),
        ]
    )
    stored = row(database, "transfer")
    assert isinstance(stored.pop("dedupe"), int)
    assert stored == {
        "technology": "fts",
        "fts": "fts3.example.org",
        "agent_fqdn": "agent.example.org",
        "transfer_id": "2026-11-22-0201__a.x.org__b.y.org__7__job-1",
        "start_transfer_id": "2026-11-22-0200__a.x.org__b.y.org__7__job-1",
        "job_id": "job-1",
        "file_id": "7",
        "vo": "atlas",
        "activity": "T0 Export",
        "channel": "a.x.org__b.y.org",
        "channel_type": "urlcopy",
        "protocol": "davs",
        "ipver": "ipv6",
        "src_host": "a.x.org",
        "dst_host": "b.y.org",
        "src_url": "davs://a.x.org:443/file",
        "dst_url": "davs://b.y.org:443/file",
        "src_site": "unknown",
        "dst_site": "unknown",
        "src_country": "unknown",
        "dst_country": "unknown",
        "src_endpoint": "A_DISK",
        "dst_endpoint": "B_TAPE",
        "src_status": "message",
        "dst_status": "message",
        "topology_revision": 0,
        "start_message_at": utc(T + 2 * SECOND),
        "started_at": utc(T),
        "ended_at": utc(T + 60 * SECOND),
        "state": "failed",
        "bytes": 1000,
        "file_size": 2000,
        "streaming_ms": 40_000,
        "total_ms": 60_000,
        "srm_prep_ms": 5,
        "srm_fin_ms": 6,
        "checksum_src_ms": 7,
        "checksum_dst_ms": 8,
        "queue_wait_ms": None,
        "error_scope": "DESTINATION",
        "error_phase": "TRANSFER_FINALIZATION",
        "error_category": "NO_SPACE_LEFT_ON_DEVICE",
        "error_code": "28",
        "error_template": "DESTINATION [<n>] No space left",
        "error_message": "DESTINATION [28] No space left",
        "retry": 2,
        "retry_max": 3,
        "user_hash": None,
        "received_at": utc(T + HOUR),
        "start_ref": "fts.transfer-3-41",
        "complete_ref": "fts.transfer-3-42",
        "direction": None,
        "locality": "remote",
    }


def test_a_start_in_flight(ingest: Ingest, database: Database) -> None:
    ingest.process([raw(FTS_START, start_fields(agent_fqdn="agent.example.org"))])
    flying = row(database, "in_flight")
    flying.pop("lost")  # depends on the day on which the test runs
    assert flying == {
        "fts": "fts3.example.org",
        "agent_fqdn": "agent.example.org",
        "transfer_id": "2026-11-22-0200__a.x.org__b.y.org__7__job-1",
        "job_id": "job-1",
        "file_id": "7",
        "vo": "atlas",
        "activity": "Express",
        "channel": "a.x.org__b.y.org",
        "src_host": "a.x.org",
        "dst_host": "b.y.org",
        "src_site": "unknown",
        "dst_site": "unknown",
        "started_at": utc(T),
        "closed_by_state": False,
    }


def test_a_dead_letter(ingest: Ingest, database: Database) -> None:
    headers = {"message-id": "ID:broker-1", "destination": "/queue/Consumer.x.transfer.fts_monitoring_start"}
    ingest.process([raw(FTS_START, b'{"no": "id"}', T, ref="fts.transfer-0-9", headers=headers)])
    letter = row(database, "dead_letter")
    died_at = letter.pop("died_at")
    assert letter.pop("body") == r"\x" + b'{"no": "id"}'.hex()
    assert letter == {
        "id": 1,
        "topic": "transfer.fts_monitoring_start",
        "reason": "no_id",
        "detail": "neither job_id with file_id nor a transfer id is there",
        "received_at": utc(T),
        "headers": headers,
        "replayed_at": None,
        "emptied_at": None,
        "kind": "fts.start",
        "ref": "fts.transfer-0-9",
    }
    assert died_at is not None


CASTOR = "srm-cms.cern.ch/castor/cern.ch/cms/store/PhEDEx_LoadTest07/LoadTest07_Debug_RAL/CERN/267"
RAL = "srm-cms.gridpp.rl.ac.uk/castor/ads.rl.ac.uk/prod/cms/store/LoadTest07/LoadTest07_RAL"
EVNT = "atlasdatadisk/rucio/mc15_13TeV/60/36/EVNT.11173001._023578.pool.root.1"
NOWHERE = {
    **dict.fromkeys(("src_site", "dst_site", "src_country", "dst_country"), "unknown"),
    **{"topology_revision": 0, "locality": "remote", "direction": None},
}
NO_ERROR = dict.fromkeys(f"error_{part}" for part in ("scope", "phase", "category", "code", "template", "message"))
NO_START = dict.fromkeys(("start_transfer_id", "start_message_at", "start_ref", "agent_fqdn", "queue_wait_ms"))
COMPLETE_OF_2011 = {
    **{"technology": "fts", "fts": "fts-pilot-service.cern.ch", "transfer_id": "RAL-CERN__2011-11-18-1031_14JIbi"},
    **{"vo": "cms", "activity": "unknown", "channel": "RAL-CERN", "state": "ok"},
    **dict.fromkeys(("job_id", "file_id", "channel_type", "protocol", "ipver", "retry", "retry_max", "user_hash")),
    **{"src_host": "srm-cms.gridpp.rl.ac.uk", "dst_host": "srm-cms.cern.ch"},
    **{"src_url": f"srm://{RAL}/LoadTest07_T1_UK_RAL_46"},
    **{"dst_url": f"srm://{CASTOR}/LoadTest07_RAL_46_C7Kwk7iFTAEYo71h_267"},
    **NOWHERE,
    **dict.fromkeys(("src_endpoint", "dst_endpoint", "src_status", "dst_status"), "unknown"),
    **NO_START,
    **NO_ERROR,
    # No time of the process in 2011: the latest of all times stands in, and nothing tells the total.
    **{"started_at": None, "ended_at": "2011-11-18T10:31:49+00:00", "received_at": "2011-11-18T10:31:49+00:00"},
    **{"bytes": 2_684_354_560, "file_size": 2_684_354_560, "streaming_ms": 30_000, "total_ms": None},
    **{"srm_prep_ms": 13_000, "srm_fin_ms": 2000, "checksum_src_ms": 7000, "checksum_dst_ms": 0},
}
COMPLETE_OF_2017 = {
    **{"technology": "fts", "fts": "fts3.cern.ch", "vo": "atlas", "activity": "Data Consolidation", "state": "ok"},
    "transfer_id": "2017-04-26-1435__storm-fe.cr.cnaf.infn.it__grid002.ft.uam.es__1461431003"
    "__f9b18c10-0132-51df-b341-3031a0a9ea39",
    **{"job_id": "f9b18c10-0132-51df-b341-3031a0a9ea39", "file_id": "1461431003", "channel_type": "urlcopy"},
    **{"channel": "storm-fe.cr.cnaf.infn.it__grid002.ft.uam.es", "retry": 0, "retry_max": 0},
    **dict.fromkeys(("protocol", "ipver", "user_hash")),
    **{"src_host": "storm-fe.cr.cnaf.infn.it", "dst_host": "grid002.ft.uam.es"},
    **{"src_url": f"srm://storm-fe.cr.cnaf.infn.it:8444/srm/managerv2?SFN=/atlas/{EVNT}"},
    **{"dst_url": f"srm://grid002.ft.uam.es:8443/srm/managerv2?SFN=/pnfs/ft.uam.es/data/atlas/{EVNT}"},
    **NOWHERE,
    **{"src_endpoint": "INFN-T1_DATADISK", "dst_endpoint": "UAM-LCG2_DATADISK"},
    **{"src_status": "message", "dst_status": "message"},
    **NO_START,
    **NO_ERROR,
    **{"error_code": "0", "started_at": "2017-04-26T14:34:50.323+00:00"},
    **{"ended_at": "2017-04-26T14:35:44.24+00:00", "received_at": "2017-04-26T14:35:44.24+00:00"},
    **{"bytes": 10_556_847, "file_size": 10_556_847, "streaming_ms": 2308, "total_ms": 53_917},
    **{"srm_prep_ms": 41_643, "srm_fin_ms": 9371, "checksum_src_ms": 124, "checksum_dst_ms": 36},
}
START_OF_2011 = {
    **{"fts": "fts-pilot-service.cern.ch", "agent_fqdn": "fts501.cern.ch", "job_id": None, "file_id": None},
    **{"transfer_id": "RAL-CERN__2011-11-18-1031_OlJgnE", "vo": "cms", "activity": "unknown", "channel": "RAL-CERN"},
    **{"src_host": "srm-cms.gridpp.rl.ac.uk", "dst_host": "srm-cms.cern.ch"},
    **{"src_site": "unknown", "dst_site": "unknown", "started_at": "2011-11-18T10:31:03+00:00"},
    **{"lost": True, "closed_by_state": False},
}


def test_the_real_samples_give_these_rows_whole(ingest: Ingest, database: Database) -> None:
    ingest.process([message for message in Recording(SAMPLES, BROKER_TOPICS) if isinstance(message, RawMessage)])
    rows = [row for (row,) in database.ask("SELECT row_to_json(v) FROM report.transfer AS v ORDER BY ended_at")]
    refs = [f"{SAMPLES}:{line}" for line in (2, 5)]
    expected = [COMPLETE_OF_2011, COMPLETE_OF_2017]
    assert all(isinstance(row.pop("dedupe"), int) for row in rows)
    assert rows == [row | {"complete_ref": ref} for row, ref in zip(expected, refs, strict=True)]
    assert row(database, "in_flight") == START_OF_2011
    drafts = [SAMPLES.parent / f"draft_{kind}_2012.json" for kind in ("start", "complete")]
    assert database.ask(
        "SELECT kind, topic, reason, received_at, headers, replayed_at, ref, encode(body, 'hex')"
        " FROM report.dead_letter ORDER BY ref"
    ) == [
        (
            *(f"fts.{kind}", f"transfer.fts_monitoring_{kind}", "not_json", None, {}, None),
            *(f"{SAMPLES}:{number}", draft.read_bytes().hex()),
        )
        for kind, number, draft in zip(("start", "complete"), (3, 4), drafts, strict=True)
    ]


def test_the_real_samples(ingest: Ingest, database: Database) -> None:
    messages = [message for message in Recording(SAMPLES, BROKER_TOPICS) if isinstance(message, RawMessage)]
    assert ingest.process(messages) == (5, 3, 0, 2)
    assert database.ask(
        "SELECT vo, state, bytes, streaming_ms, src_endpoint FROM report.transfer ORDER BY ended_at"
    ) == [
        ("cms", "ok", 2_684_354_560, 30_000, "unknown"),
        ("atlas", "ok", 10_556_847, 2308, "INFN-T1_DATADISK"),
    ]
    assert database.ask("SELECT transfer_id, agent_fqdn, lost FROM report.in_flight") == [
        ("RAL-CERN__2011-11-18-1031_OlJgnE", "fts501.cern.ch", True)
    ]
    assert database.ask("SELECT DISTINCT reason FROM report.dead_letter") == [("not_json",)]
    assert database.ask("SELECT window_start::text, started, ok, bytes_moved FROM report.link_10m ORDER BY 1") == [
        ("2011-11-18 10:30:00+00", 1, 1, 2_684_354_560),
        ("2017-04-26 14:30:00+00", 0, 1, 10_556_847),
    ]
