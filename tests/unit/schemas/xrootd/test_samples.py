"""What each sample says (tests/data/xrootd/ORIGIN.md), field by field."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from schemas import topics
from schemas.deadletters import Malformed
from schemas.events import INTERVAL_EMPTY, INTERVAL_USED, Complete
from tests.support.xrootd_messages import DATA, SAMPLES, records, sample


class Row(NamedTuple):
    """What is expected of a record: ends, direction, bytes, s between start and end, event time."""

    vo: str
    src: str
    dst: str
    direction: str
    bytes: int
    ms: int | None
    end_ms: int
    user: str
    technology: str = "xrootd"


ROWS: dict[str, list[Row]] = {
    "gled_2017-04-10_monit.json": [
        Row("cms", "p05799459u51457.cern.ch", "b608a4fe55.cern.ch", "read", 189272229, 690_000, 1491789715000, "")
    ],
    "gled_2019_enriched.json": [
        Row("cms", "lxfsre14c04.cern.ch", "wna220.jinr-t1.ru", "read", 327039, 66_000, 1548441709000, "")
    ],
    "constructed_gled_2014.json": [
        Row(
            "atlas",
            "xrd3.example.fr",
            "wn042.grid.example.org",
            "read",
            1073741824,
            1_800_000,
            1393201800000,
            "/DC=ch/DC=cern/OU=Organic Units/OU=Users/CN=USER1",
        )
    ],
    "constructed_gled_2012.txt": [
        Row(
            "atlas",
            "xrd3.example.fr",
            "ui1.example.ie",
            "read",
            1048576,
            0,
            1342000000000,
            '/C=IE/O=Example/CN=Test "Brien',
        )
    ],
    "cmssw_2014.json": [
        Row(
            "cms",
            "cmshdp-d019.rcac.purdue.edu",
            "rossmann-a251.rcac.purdue.edu",
            "read",
            148607872,
            230_000,
            1395960959000,
            "/DC=ch/DC=cern/OU=Organic Units/OU=Users/CN=USER1",
        )
    ],
    "constructed_cmssw_packet.txt": [
        Row("cms", "xrd1.example.org", "wn1.example.org", "read", 10, 230_000, 1395960959000, "/CN=A"),
        Row("cms", "xrd1.other.org", "wn2.example.org", "read", 20, 231_000, 1395960960000, "/CN=B"),
    ],
    "wlcg_2013.json": [
        Row(
            "cms",
            "cmsstor359.fnal.gov",
            "brian-test.unl.edu",
            "read",
            358477665,
            102_000,
            1359423788000,
            "/DC=com/DC=DigiCert-Grid/O=Open Science Grid/OU=People/CN=Test User 2",
        )
    ],
    "constructed_wlcg_go.json": [
        Row(
            "cms",
            "client.example.com",
            "xrootd.example.edu",
            "write",
            5000000,
            50_000,
            1795312850000,
            "/DC=org/DC=example/OU=People/CN=Test User",
        )
    ],
    "constructed_collector_python.json": [
        Row(
            "cms",
            "redirector.example.edu",
            "wn7.example.edu",
            "read",
            1500000,
            100_000,
            1555000700000,
            "/DC=ch/DC=cern/OU=Users/CN=USER2",
        )
    ],
    "constructed_collector_go.json": [
        Row("unknown", "unknown", "cache.example.org", "write", 8192, 40_000, 1795312840000, "user-7f3a")
    ],
    "cache_raw_2023.json": [Row("cms", "unknown", "unknown", "unknown", 0, 8_000, 1688057104000, "")],
    "constructed_cache_renamed.json": [
        Row("cms", "origin.example.ch", "xcache.example.edu", "read", 7300, 900_000, 1795313700000, "")
    ],
    "tpc_raw_2022.json": [
        Row(
            "cms",
            "cent7b.slac.stanford.edu",
            "griddev08.slac.stanford.edu",
            "read",
            6293536,
            126,
            1648786935891,
            "abh",
            "xrootd-tpc",
        )
    ],
    "constructed_tpc_renamed.json": [
        Row(
            "lhcb",
            "src.example.org",
            "dst.example.net",
            "write",
            20000000,
            10_000,
            1795312810000,
            "prod",
            "xrootd-tpc",
        )
    ],
    "constructed_tpc_unescaped.txt": [
        Row("atlas", "src.example.org", "dst.example.net", "read", 2500, 2_500, 1795312802500, 'a"b', "xrootd-tpc")
    ],
    "eos_2017_text.json": [
        Row(
            "cms",
            "p05798818q44165.cern.ch",
            "cms-ucsrv-c2f46-32-07.cern.ch",
            "read",
            19186114,
            1_284_307,
            1491789688225,
            "/DC=ch/DC=cern/OU=Organic Units/OU=Users/CN=REDACTED",
        )
    ],
    "eos_2019_prefixed.json": [
        Row("cms", "lxfsrf65c02.cern.ch", "vocms0268.ipv6.cern.ch", "unknown", 0, 68, 1548009771177, "REDACTED")
    ],
    "eos_2019_plain.json": [
        Row("cms", "p06253937y92607.cern.ch", "b6644a93b5.cern.ch", "read", 41276444, 15_460, 1549043141939, "REDACTED")
    ],
}


def row(event: Complete) -> Row:
    return Row(
        event.vo,
        event.src.host,
        event.dst.host,
        event.direction,
        event.bytes,
        event.durations[0],
        event.event_ms,
        event.user,
        event.technology,
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_says_what_stands_in_it(name: str) -> None:
    events = records(SAMPLES[name], sample(name), None)
    assert [row(event) for event in events] == ROWS[name]
    for event in events:
        assert (event.state, event.fts, event.agent, event.channel, event.transfer_id) == ("ok", "", "", "", "")
        assert (event.job_id, event.file_id, event.activity, event.never_pairs) == ("", "", "unknown", True)
        assert event.received_ms == event.event_ms
        if event.durations[0]:
            assert event.interval == INTERVAL_USED
            assert (event.moved_from_ms, event.moved_to_ms) == (event.started_ms, event.event_ms)
        else:
            assert (event.interval, event.moved_from_ms, event.moved_to_ms) == (INTERVAL_EMPTY, 0, 0)


def test_every_sample_is_in_the_list() -> None:
    others = {"ORIGIN.md", "shoveler_packets_2025.jsonl"}
    assert {path.name for path in DATA.iterdir()} - others == set(SAMPLES) == set(ROWS)


def test_what_the_samples_say_besides() -> None:
    (go,) = records(topics.XROOTD_TPC, sample("constructed_tpc_renamed.json"), None)
    assert (go.error_code, go.protocol, go.ipver) == ("5", "http", "ipv4")
    assert go.started_ms == 1_795_312_800_000  # .042 are 42 microseconds
    (raw_tpc,) = records(topics.XROOTD_TPC, sample("tpc_raw_2022.json"), None)
    assert (raw_tpc.error_code, raw_tpc.protocol, raw_tpc.ipver) == ("", "xroot", "ipv6")
    assert raw_tpc.src.url == "xroot://cent7b.slac.stanford.edu:1094//store/data/file.root"
    (python,) = records(topics.XROOTD_COLLECTOR, sample("constructed_collector_python.json"), None)
    assert (python.file_size, python.ipver, python.protocol) == (None, "ipv6", "xroot")
    (written,) = records(topics.XROOTD_WLCG, sample("constructed_wlcg_go.json"), None)
    assert (written.src.url, written.dst.url) == ("", "/store/data/Run2018D/output.root")


@pytest.mark.parametrize("kind", [topics.XROOTD_SHOVELER, *sorted(set(SAMPLES.values()))])
def test_a_shovelers_packet_needs_a_collector_wherever_it_is_sent(kind: str) -> None:
    for packet in sample("shoveler_packets_2025.jsonl").splitlines():
        with pytest.raises(Malformed) as refused:
            records(kind, packet, None)
        assert refused.value.reason == "needs_collector"
