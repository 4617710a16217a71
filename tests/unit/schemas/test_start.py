"""Start messages: what each field becomes, in every era, and what makes a start unusable."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.deadletters import Malformed
from schemas.rules import Horizon
from tests.support.fts_messages import ABSENT, DAY, HOUR, SECOND, T, start


def test_a_start_of_today() -> None:
    event = start()
    assert event.event_ms == T
    assert event.received_ms == T + HOUR
    assert (event.fts, event.agent) == ("fts3.example.org", "")
    assert (event.transfer_id, event.job_id, event.file_id) == (
        "2026-11-22-0200__a.x.org__b.y.org__7__job-1",
        "job-1",
        "7",
    )
    assert (event.vo, event.activity, event.channel) == ("atlas", "Express", "a.x.org__b.y.org")
    assert (event.src.host, event.src.url) == ("a.x.org", "davs://a.x.org:443/file")
    assert (event.dst.host, event.dst.url) == ("b.y.org", "davs://b.y.org:443/file")
    assert (event.src.rse, event.src.token, event.dst.rse, event.dst.token) == ("", "", "", "")
    assert event.ref == "test:1"


def test_a_start_of_2011_is_all_text_and_names_its_agent() -> None:
    event = start(
        agent_fqdn="FTS501.cern.ch.",
        transfer_id="RAL-CERN__2011-11-18-1031_OlJgnE",
        job_id=ABSENT,
        file_id=ABSENT,
        endpnt="https://fts-pilot-service.cern.ch:8443/glite-data-transfer-fts/services/FileTransfer",
        timestamp="1321612263000.000000",
        t_channel="RAL-CERN",
        srm_space_token_dst="CMS_DEFAULT",
        file_metadata=ABSENT,
        received_ms=None,
    )
    assert event.event_ms == event.received_ms == 1_321_612_263_000
    assert event.fts == "fts-pilot-service.cern.ch"
    assert event.agent == "fts501.cern.ch"
    assert event.transfer_id == "RAL-CERN__2011-11-18-1031_OlJgnE"
    assert (event.job_id, event.file_id) == ("", "")
    assert event.channel == "RAL-CERN"
    assert event.dst.token == "CMS_DEFAULT"
    assert event.activity == "unknown"


@pytest.mark.parametrize("missing", [ABSENT, None, "", "  "])
def test_what_a_start_does_not_say_is_unknown_or_empty(missing: Any) -> None:
    names = ("endpnt", "vo", "src_url", "src_hostname", "t_channel", "agent_fqdn", "srm_space_token_src")
    event = start(**dict.fromkeys(names, missing))
    assert (event.vo, event.src.host) == ("unknown", "unknown")
    assert (event.fts, event.agent, event.channel, event.src.url, event.src.token) == ("", "", "", "", "")


@pytest.mark.parametrize("wrong", [5, 1.5, True, [], {}, ["a"], {"a": 1}])
@pytest.mark.parametrize("field", ["agent_fqdn", "endpnt", "vo", "src_url", "src_hostname", "t_channel"])
def test_a_field_of_another_type_costs_no_more_than_itself(field: str, wrong: Any) -> None:
    assert start(**{field: wrong}).event_ms == T


@pytest.mark.parametrize(
    ("metadata", "activity"),
    [
        ({"activity": "T0 Export"}, "T0 Export"),
        ({"activity": " T0 Export "}, "T0 Export"),
        ({"activity": ""}, "unknown"),
        ({"activity": None}, "unknown"),
        ({"activity": ["T0 Export"]}, "unknown"),
        ({"label": "plain text, wrapped"}, "unknown"),
        ({}, "unknown"),
        ("plain text", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
        (ABSENT, "unknown"),
        ([], "unknown"),
        ([{"activity": "T0 Export"}], "unknown"),
        (5, "unknown"),
        (1.5, "unknown"),
        (True, "unknown"),
    ],
)
@pytest.mark.parametrize("job_metadata", [{"issuer": "rucio"}, None, "", "text"])
def test_metadata_of_any_form(metadata: Any, activity: str, job_metadata: Any) -> None:
    assert start(file_metadata=metadata, job_metadata=job_metadata).activity == activity


def test_rucio_names_the_vo_endpoints() -> None:
    event = start(file_metadata={"src_rse": "CERN-PROD_DATADISK", "dst_rse": "PIC_DATATAPE", "md5": None})
    assert (event.src.rse, event.dst.rse) == ("CERN-PROD_DATADISK", "PIC_DATATAPE")


def reason(received_ms: int | None = T + HOUR, horizon: Horizon | None = None, **changes: Any) -> str:
    with pytest.raises(Malformed) as refused:
        start(received_ms, horizon, **changes)
    return refused.value.reason


@pytest.mark.parametrize("nothing", [ABSENT, None, "", 0, "0.000000"])
def test_without_a_timestamp_nobody_knows_when(nothing: Any) -> None:
    assert reason(timestamp=nothing) == "no_time"


@pytest.mark.parametrize("nonsense", ["soon", -1, True, [T], {}, "NaN", 10**30])
def test_an_unreadable_timestamp_never_falls_back_on_another(nonsense: Any) -> None:
    assert reason(timestamp=nonsense) == "bad_time"


@pytest.mark.parametrize("nothing", [ABSENT, None, "", "  ", [], True])
def test_without_any_id_it_cannot_be_joined(nothing: Any) -> None:
    assert reason(transfer_id=nothing, job_id=nothing) == "no_id"


def test_a_complete_has_its_id_under_another_name() -> None:
    assert reason(transfer_id=ABSENT, job_id=ABSENT, tr_id="x") == "no_id"


def test_24_hours_ahead_of_the_receipt_is_the_limit() -> None:
    assert start(received_ms=T - DAY).event_ms == T
    assert reason(received_ms=T - DAY - 1) == "future"


def test_30_days_before_the_receipt_is_the_limit() -> None:
    assert start(received_ms=T + 30 * DAY).event_ms == T
    assert reason(received_ms=T + 30 * DAY + 1) == "too_old"
    assert reason(received_ms=T + 2 * DAY, horizon=Horizon(DAY)) == "too_old"


def test_the_raw_floor_is_the_first_ms_that_is_kept() -> None:
    assert start(horizon=Horizon(30 * DAY, T)).event_ms == T
    assert reason(horizon=Horizon(30 * DAY, T + 1)) == "too_old"


def test_a_replayed_start_that_does_not_say_when_it_was_received_is_never_too_old() -> None:
    assert start(received_ms=None, timestamp=T - 3650 * DAY).received_ms == T - 3650 * DAY


def test_copies_have_one_dedupe_key_and_others_another() -> None:
    first = start()
    assert start(received_ms=T, timestamp=str(T)).dedupe == first.dedupe
    assert start(vo="cms").dedupe == first.dedupe
    changes: list[dict[str, Any]] = [
        {"endpnt": "other.example.org"},
        {"transfer_id": "2026-11-22-0201__a.x.org__b.y.org__7__job-1"},
        {"agent_fqdn": "agent.example.org"},
    ]
    for change in changes:
        assert start(**change).dedupe != first.dedupe
    assert start(timestamp=T + SECOND).event_ms != first.event_ms


def test_two_transfers_without_an_id_of_their_own_are_two() -> None:
    assert start(transfer_id=ABSENT).dedupe != start(transfer_id=ABSENT, file_id=8).dedupe


@pytest.mark.parametrize(("agent", "name"), [("A.B.", "a.b"), ("", ""), (None, ""), (["x"], ""), ({}, "")])
def test_the_agent_is_a_host_name(agent: Any, name: str) -> None:
    assert start(agent_fqdn=agent).agent == name
