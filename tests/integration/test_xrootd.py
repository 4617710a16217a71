"""xrootd records from their bodies to the views: every sample, copies at several writers, windows and their checks."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from pipeline.ingest import Ingest
from pipeline.recording import Recording
from pipeline.simulator import simulate, write_jsonl
from pipeline.stages.users import Users
from pipeline.store.session import connect
from schemas import topics
from schemas.envelope import RawMessage
from schemas.topics import KNOWN_TOPICS
from tests.support.database import Database
from tests.support.fts_messages import HOUR, T, complete_fields, raw, start_fields
from tests.support.oracle import expect
from tests.support.shell import Shell
from tests.support.stored import differences
from tests.support.xrootd_messages import PLAIN, SAMPLES, sample
from tests.support.xrootd_traffic import KIND_OF, write_traffic
from tests.unit.schemas.xrootd.test_samples import ROWS

pytestmark = pytest.mark.stack

COLUMNS = (
    "technology, vo, src_host, dst_host, bytes, streaming_ms, (extract(epoch FROM ended_at) * 1000)::bigint,"
    " state, fts, channel, direction, locality, user_hash"
)
KEY = b"a secret of some length"
LOCALITY = {
    "gled_2017-04-10_monit.json": "local",
    "cmssw_2014.json": "local",
    "constructed_collector_python.json": "local",
    "constructed_collector_go.json": None,
    "cache_raw_2023.json": None,
    "tpc_raw_2022.json": "local",
    "eos_2017_text.json": "local",
    "eos_2019_prefixed.json": "local",
    "eos_2019_plain.json": "local",
}
"""By the domains of the hosts, as no topology is loaded; the others are remote, None where a host is unknown."""


def _locality(name: str, src: str) -> str | None:
    if name == "constructed_cmssw_packet.txt":
        return "local" if src == "xrd1.example.org" else "remote"
    return LOCALITY.get(name, "remote")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_a_row_and_stands_in_its_windows(name: str, database_url: str, database: Database) -> None:
    with closing(Ingest(database_url, user_key=KEY)) as ingest:
        result = ingest.process([raw(SAMPLES[name], sample(name), None)])
    rows = ROWS[name]
    assert (result.received, result.stored, result.duplicate, result.dead) == (len(rows), len(rows), 0, 0)
    hashed = Users(KEY).hash
    expected = [
        (
            *(r.technology, r.vo, r.src, r.dst, r.bytes, r.ms, r.end_ms, "ok", None, None),
            *(r.direction, _locality(name, r.src), hashed(r.user) or None),
        )
        for r in rows
    ]
    assert database.ask(f"SELECT {COLUMNS} FROM report.transfer ORDER BY ended_at") == expected
    for width in ("10m", "1h", "1d"):
        found = database.ask(
            f"SELECT technology, sum(ok)::bigint, sum(bytes)::bigint, sum(bytes_moved)::bigint FROM report.link_{width}"
            " GROUP BY 1"
        )
        total = sum(r.bytes for r in rows)
        assert found == [(rows[0].technology, len(rows), total, total)]


def test_packets_of_the_shoveler_are_kept_for_a_collector(ingest: Ingest, database: Database) -> None:
    packets = sample("shoveler_packets_2025.jsonl").splitlines()
    result = ingest.process(
        [raw(topics.XROOTD_SHOVELER, packet, T, identity=str(number)) for number, packet in enumerate(packets)]
    )
    assert (result.stored, result.dead) == (0, len(packets))
    assert database.ask("SELECT reason, count(*) FROM report.dead_letter GROUP BY 1") == [
        ("needs_collector", len(packets))
    ]


def test_copies_at_several_writers_at_once_are_one(database_url: str, database: Database) -> None:
    bodies = [PLAIN[topics.XROOTD_WLCG] | {"file_lfn": f"/store/{number}.root"} for number in range(300)]

    def write(writer: int) -> int:
        batch = [
            raw(
                topics.XROOTD_WLCG,
                body | {"unique_id": f"{writer}"},
                T + HOUR,
                f"{writer}-{number}",
                f"{writer}-{number}",
            )
            for number, body in enumerate(bodies)
        ]
        with closing(Ingest(database_url)) as ingest:
            return sum(
                ingest.process(batch[start::3]).stored for start in (writer % 3, (writer + 1) % 3, (writer + 2) % 3)
            )

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(write, range(4))) == 300
    assert database.ask("SELECT count(*), sum(bytes)::bigint FROM report.transfer") == [(300, 300_000)]
    assert database.ask("SELECT sum(received)::int, sum(stored)::int, sum(duplicate)::int FROM report.source_10m") == [
        (1200, 300, 900)
    ]


def test_xrootd_and_fts_stand_side_by_side_and_are_verified(shell: Shell, ingest: Ingest, database: Database) -> None:
    records = [raw(kind, PLAIN[kind], T + HOUR, kind, kind) for kind in sorted(PLAIN)]
    fts = [
        raw(topics.FTS_START, start_fields(), T + HOUR, "1", "1"),
        raw(topics.FTS_COMPLETE, complete_fields(), T + HOUR),
    ]
    ingest.process([*records, *fts])
    # One access, told by GLED, CMSSW and WLCG in the same figures, by collector and EOS without those at close, and by
    # the cache in its own.
    assert database.ask("SELECT technology, sum(ok)::int FROM report.link_1h GROUP BY 1 ORDER BY 1") == [
        ("fts", 1),
        ("xrootd", 3),
        ("xrootd-tpc", 1),
    ]
    assert database.ask("SELECT count(*) FROM report.in_flight") == [(0,)]
    assert shell.json("verify")["differing"] == 0
    shell("recompute")
    assert shell.json("verify")["differing"] == 0


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("a.b.cern.ch", "cern.ch"),
        ("cern.ch", "cern.ch"),
        ("se.pp.rl.ac.uk", "rl.ac.uk"),
        ("ac.uk", "ac.uk"),
        ("wn1", "wn1"),
        ("192.0.2.17", "192.0.2.17"),
        ("2001:db8::5", "2001:db8::5"),
        ("se.unimelb.edu.au", "unimelb.edu.au"),
        ("x.rcac.purdue.edu", "purdue.edu"),
    ],
)
def test_the_domain_that_a_host_belongs_to(host: str, domain: str, database: Database) -> None:
    assert database.ask("SELECT report.host_domain(%s)", (host,)) == [(domain,)]


def test_sites_decide_about_locality_where_both_are_known(
    shell: Shell, database_url: str, database: Database, tmp_path: Path
) -> None:
    places = {
        "sites": [{"name": "A"}, {"name": "B"}],
        "hosts": [{"host": "xrd1.y.org", "site": "A"}, {"host": "wn1.x.org", "site": "A"}],
        "domains": [{"domain": "x.org", "sites": ["B"]}, {"domain": "y.org", "sites": ["A"]}],
        "endpoints": [],
    }
    path = tmp_path / "places.json"
    path.write_text(json.dumps(places))
    shell("topology", "load", path)
    wlcg = PLAIN[topics.XROOTD_WLCG]
    batch = [wlcg, wlcg | {"client_host": "wn2"}, wlcg | {"client_host": "c.z.org"}, wlcg | {"client_host": ""}]
    with closing(Ingest(database_url)) as ingest:
        ingest.process([raw(topics.XROOTD_WLCG, body, T + HOUR, str(n), str(n)) for n, body in enumerate(batch)])
    assert database.ask("SELECT dst_host, locality, user_hash FROM report.transfer ORDER BY 1") == [
        ("c.z.org", "remote", None),
        ("unknown", None, None),
        ("wn1.x.org", "local", None),
        ("wn2.x.org", "remote", None),
    ]


def test_users_of_fts_are_hashed_alike(database_url: str, database: Database) -> None:
    with closing(Ingest(database_url, user_key=KEY)) as ingest:
        ingest.process([raw(topics.FTS_COMPLETE, complete_fields(user_dn="/CN=A"), T + HOUR)])
        ingest.process([raw(topics.XROOTD_WLCG, PLAIN[topics.XROOTD_WLCG], T + HOUR)])
    assert database.ask("SELECT technology, user_hash, direction FROM report.transfer ORDER BY 1") == [
        ("fts", Users(KEY).hash("/CN=A"), None),
        ("xrootd", Users(KEY).hash("/CN=A"), "read"),
    ]


def test_the_key_comes_from_a_file_and_must_be_one(
    shell: Shell, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = tmp_path / "one.jsonl"
    recorded.write_text(json.dumps({"topic": "xrd.wlcg_format", "body": json.dumps(PLAIN[topics.XROOTD_WLCG])}))
    key = tmp_path / "key"
    monkeypatch.setenv("TRANSFERSCOPE_USER_HASH_KEY_FILE", str(key))
    shell("replay", recorded, code=2)
    assert "user_hash_key_file" in shell.err
    key.write_bytes(b"short")
    shell("replay", recorded, code=2)
    assert "at least 16" in shell.err
    key.write_bytes(KEY + b"\n")
    shell("replay", recorded)
    assert database.ask("SELECT user_hash FROM report.transfer") == [(Users(KEY).hash("/CN=A"),)]


@pytest.mark.parametrize("writers", [1, 3])
def test_generated_records_beside_fts_give_the_recounted_tables(
    writers: int, database_url: str, shell: Shell, tmp_path: Path
) -> None:
    records, fts = tmp_path / "records.jsonl", tmp_path / "fts.jsonl"
    write_traffic(records, 800, seed=writers)
    write_jsonl(simulate(800, seed=writers, begin_ms=T), fts)
    expected = expect([records, fts], lambda host, at_ms: ("unknown", "unknown"))
    messages = [
        message
        for path in (records, fts)
        for message in Recording(path, KNOWN_TOPICS | KIND_OF)
        if isinstance(message, RawMessage)
    ]
    Random(writers).shuffle(messages)

    def write(writer: int) -> None:
        mine = messages[writer::writers]
        with closing(Ingest(database_url)) as ingest:
            for start in range(0, len(mine), 400):
                ingest.process(mine[start : start + 400])

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))
    with closing(connect(database_url)) as store:
        assert list(differences(expected, store)) == []
    assert shell.json("verify")["differing"] == 0
