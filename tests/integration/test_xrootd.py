"""xrootd records from their bodies to the views: every sample, copies at several writers, windows and their checks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from pipeline.ingest import Ingest
from schemas import topics
from tests.support.database import Database
from tests.support.fts_messages import HOUR, T, complete_fields, raw, start_fields
from tests.support.shell import Shell
from tests.support.xrootd_messages import PLAIN, SAMPLES, sample
from tests.unit.schemas.xrootd.test_samples import ROWS

pytestmark = pytest.mark.stack

COLUMNS = (
    "technology, vo, src_host, dst_host, bytes, streaming_ms, (extract(epoch FROM ended_at) * 1000)::bigint,"
    " state, fts, channel"
)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_a_row_and_stands_in_its_windows(name: str, ingest: Ingest, database: Database) -> None:
    result = ingest.process([raw(SAMPLES[name], sample(name), None)])
    rows = ROWS[name]
    assert (result.received, result.stored, result.duplicate, result.dead) == (len(rows), len(rows), 0, 0)
    expected = [(r.technology, r.vo, r.src, r.dst, r.bytes, r.ms, r.end_ms, "ok", None, None) for r in rows]
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
