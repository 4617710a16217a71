"""The rules for xrootd records, and what becomes of broken ones."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import topics
from schemas.deadletters import Malformed
from schemas.events import INTERVAL_EMPTY, INTERVAL_IGNORED, INTERVAL_NONE
from schemas.xrootd import PARSERS
from schemas.xrootd.access import full_host, vo_of
from tests.support.fts_messages import ABSENT, DAY, HOUR, T, raw
from tests.support.xrootd_messages import PLAIN, record, records

RECORD_KINDS = sorted(PLAIN)
BYTES = st.integers(0, 2**53)
END = {
    topics.XROOTD_COLLECTOR: "end_time",
    topics.XROOTD_CACHE: "detach_t",
    topics.XROOTD_EOS: "eos.cts",
}
FIGURE = {
    topics.XROOTD_COLLECTOR: "write",
    topics.XROOTD_CACHE: "b_hit",
    topics.XROOTD_TPC: "Size",
    topics.XROOTD_EOS: "eos.wb",
}


def reason_of(kind: str, body: Any) -> str:
    with pytest.raises(Malformed) as refused:
        records(kind, body)
    return refused.value.reason


@pytest.mark.parametrize("kind", RECORD_KINDS)
def test_all_formats_tell_the_same_access_alike(kind: str) -> None:
    event = record(kind)
    assert (event.src.host, event.dst.host, event.bytes, event.direction) == ("xrd1.y.org", "wn1.x.org", 1000, "read")
    assert (event.vo, event.event_ms, event.durations[0]) == ("cms", T + 100_000, 100_000)
    assert (event.durations[-1], event.received_ms, event.source) == (10, T + HOUR, kind)
    assert event.technology == ("xrootd-tpc" if kind == topics.XROOTD_TPC else "xrootd")


@given(BYTES, BYTES, BYTES, BYTES)
def test_the_larger_figure_counts_and_a_read_comes_before_a_write(
    read: int, read_at_close: int, write: int, write_at_close: int
) -> None:
    event = record(
        topics.XROOTD_GLED,
        read_bytes=str(read),
        read_bytes_at_close=str(read_at_close),
        write_bytes=str(write),
        write_bytes_at_close=write_at_close,
    )
    ends = (event.src.host, event.dst.host)
    if read or read_at_close:
        assert (event.direction, event.bytes) == ("read", max(read, read_at_close))
    else:
        most = max(write, write_at_close)
        assert (event.direction, event.bytes) == ("write" if most else "unknown", most)
    assert ends == (("wn1.x.org", "xrd1.y.org") if event.direction == "write" else ("xrd1.y.org", "wn1.x.org"))


@pytest.mark.parametrize(
    ("host", "domain", "full"),
    [
        ("wn1", "x.org", "wn1.x.org"),
        ("WN1", ".X.org.", "wn1.x.org"),
        ("wn1.y.org", "x.org", "wn1.y.org"),
        ("wn1.y.org:1094", "", "wn1.y.org"),
        ("wn1", "", "wn1"),
        ("wn1", "unknown", "wn1"),
        ("", "x.org", "unknown"),
        ("unknown", "x.org", "unknown"),
        ("[2001:db8::5]", "x.org", "2001:db8::5"),
        ("2001:db8::5", "x.org", "2001:db8::5"),
        (None, 5, "unknown"),
    ],
)
def test_a_short_host_gets_its_domain(host: object, domain: object, full: str) -> None:
    assert full_host(host, domain) == full


@pytest.mark.parametrize(
    ("vo", "topic", "path", "found"),
    [
        ("lhcb", "xrdpop.fax_popularity", "/store/a", "lhcb"),
        ("cms cms", "", "", "cms"),
        ("unknown", "xrdpop.fax_popularity", "/store/a", "atlas"),
        ("NULL NULL", "", "/store/a", "cms"),
        ("", "/topic/xrdpop.uscms_test_popularity", "/atlas/a", "cms"),
        ("", "xrootd.fax.us", "", "atlas"),
        ("", "other", "/store/a", "cms"),
        ("", "other", "//atlas/a", "atlas"),
        ("noVO", "other", "/eos/alice/a", "alice"),
        (None, "other", "/eos/user/a", "unknown"),
        ("", "other", "/storeroom/a", "unknown"),
        ("", "faxes", "", "unknown"),
    ],
)
def test_the_vo_is_said_or_follows_from_destination_or_path(vo: object, topic: str, path: str, found: str) -> None:
    assert vo_of(vo, topic, path) == found


@pytest.mark.parametrize("kind", RECORD_KINDS)
def test_a_copy_with_another_id_is_the_same_record(kind: str) -> None:
    assert record(kind).dedupe == record(kind, unique_id="another", _id=5).dedupe == record(kind).key_hash


@pytest.mark.parametrize(
    "change",
    [
        {"read_bytes": "1001"},
        {"read_bytes_at_close": "901"},
        {"write_bytes": "1"},
        {"write_bytes_at_close": "1"},
        {"start_time": str(T // 1000 - 1)},
        {"end_time": str(T // 1000 + 99)},
        {"user_dn": "/CN=B"},
        {"client_host": "wn2"},
        {"server_domain": "z.org"},
        {"file_lfn": "/store/b.root"},
    ],
)
def test_what_makes_a_record_another(change: dict[str, Any]) -> None:
    assert record(topics.XROOTD_GLED).dedupe != record(topics.XROOTD_GLED, **change).dedupe


def test_seconds_and_ms_text_and_numbers_make_the_same_record() -> None:
    plain = record(topics.XROOTD_GLED)
    wire = PLAIN[topics.XROOTD_GLED]
    monit = {name: int(value) if value.isdecimal() else value for name, value in wire.items()}
    monit |= {"start_time": T, "end_time": T + 100_000}
    (stored,) = records(topics.XROOTD_GLED, {"data": monit, "metadata": {"producer": "xrootd"}})
    assert (stored.dedupe, stored.event_ms, stored.bytes) == (plain.dedupe, plain.event_ms, plain.bytes)


def test_intervals_that_cannot_be_used() -> None:
    assert record(topics.XROOTD_WLCG, start_time=ABSENT).interval == INTERVAL_NONE
    assert record(topics.XROOTD_WLCG, start_time=T // 1000 + 100).interval == INTERVAL_EMPTY
    late = record(topics.XROOTD_WLCG, start_time=T // 1000 + 200)
    assert (late.interval, late.durations[0]) == (INTERVAL_EMPTY, None)
    assert record(topics.XROOTD_WLCG, start_time=(T - 8 * DAY) // 1000).interval == INTERVAL_IGNORED


@pytest.mark.parametrize("kind", RECORD_KINDS)
def test_broken_records_tell_why(kind: str) -> None:
    body = json.dumps(PLAIN[kind]).encode()
    assert reason_of(kind, b" \n\x04") == "empty"
    assert reason_of(kind, body[:-9]) == "not_json"
    assert reason_of(kind, b"[1]") == "not_object"
    assert reason_of(kind, b"[" * 100_000) == "too_deep"
    assert reason_of(kind, {"transfer_id": "x"}) == "no_time"
    figure = FIGURE.get(kind, "write_bytes")
    for wrong in (-1, "1.5", "many", 2**53 + 1, True):
        assert reason_of(kind, PLAIN[kind] | {figure: wrong}) == "bad_bytes"
    if kind == topics.XROOTD_TPC:
        ended: dict[str, Any] = {when: {"Xeq": {"End": when}} for when in ("", "soon", "2026-11-25T02:00:00Z")}
    else:
        end = END.get(kind, "end_time")
        ended = {"": {end: ""}, "soon": {end: "soon"}, "2026-11-25T02:00:00Z": {end: T // 1000 + 3 * 86400}}
    reasons = [reason_of(kind, PLAIN[kind] | change) for change in ended.values()]
    assert reasons == ["no_time", "bad_time", "future"]
    with pytest.raises(Malformed, match="too_old"):
        record(kind, received_ms=T + 40 * DAY)


def test_a_packet_is_used_whole_or_not_at_all() -> None:
    good = json.dumps(PLAIN[topics.XROOTD_CMSSW]).encode()
    bad = json.dumps(PLAIN[topics.XROOTD_CMSSW] | {"write_bytes": -1}).encode()
    assert len(records(topics.XROOTD_CMSSW, good + b"\n" + good)) == 2
    assert reason_of(topics.XROOTD_CMSSW, good + bad) == "bad_bytes"
    assert reason_of(topics.XROOTD_CMSSW, good + good[:40]) == "not_json"
    assert reason_of(topics.XROOTD_CMSSW, good + b"77") == "not_object"
    assert reason_of(topics.XROOTD_CMSSW, good * 1000) == "not_json"  # no UDP packet is so long


def test_what_is_no_envelope_of_the_shoveler() -> None:
    assert reason_of(topics.XROOTD_SHOVELER, {"remote": "a"}) == "unknown_kind"
    assert reason_of(topics.XROOTD_SHOVELER, b"x") == "not_json"


def test_eos_reports_may_stand_alone_as_text() -> None:
    text = b"path=/eos/cms/a&host=h.cern.ch&ots=1795312800&otms=5&cts=1795312801&ctms=7&rb=0&wb=9&td=u.1:2@c&sec.host="
    (event,) = records(topics.XROOTD_EOS, text)
    assert (event.src.host, event.dst.host, event.bytes, event.user) == ("c", "h.cern.ch", 9, "u")
    assert (event.started_ms, event.event_ms) == (T + 5, T + 1007)
    assert reason_of(topics.XROOTD_EOS, b"path=/a&sec.app=deletion") == "no_time"


@pytest.mark.parametrize(
    ("remotes", "origin"),
    [
        (["h.org:1094"], "h.org"),
        (["root://u@H.org:1094/", "h.org"], "h.org"),
        (["a.org", "b.org"], "unknown"),
        ([], "unknown"),
        ("", "unknown"),
        ([None, 5], "unknown"),
    ],
)
def test_the_origin_of_cached_bytes_is_told_only_if_it_is_one(remotes: object, origin: str) -> None:
    assert record(topics.XROOTD_CACHE, remotes=remotes).src.host == origin


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (topics.XROOTD_GLED, b"{" + b"'a':'" * 200_000),
        (topics.XROOTD_GLED, b"{" + b'"a":"b" , ' * 200_000),
        (topics.XROOTD_GLED, b"{'a':'" + b"' " * 500_000),
        (topics.XROOTD_TPC, b'{"TPC":"' + b'","Client":"' * 100_000),
        (topics.XROOTD_TPC, b'{"TPC":"","Client":"' + b'","Xeq":{},"Src":"","Dst":"' * 50_000),
        (topics.XROOTD_CMSSW, b'{"a":1},' * 8000),
        (topics.XROOTD_EOS, b"a=b&" * 500_000),
    ],
)
def test_mending_a_hostile_body_takes_no_longer_than_its_length_allows(kind: str, body: bytes) -> None:
    begun = time.process_time()
    reason_of(kind, body)
    assert time.process_time() - begun < 3


def test_a_kind_of_each_parser_is_registered() -> None:
    assert set(PARSERS) == {kind for kind, topic in topics.KINDS.items() if topic == topics.XROOTD_TRANSFER}
    assert raw(topics.XROOTD_GLED, b"").topic == topics.XROOTD_GLED
