"""Queue samples in the store: each once, whatever comes twice, in which order, and from how many writers."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random
from typing import Any

import pytest

from pipeline.batches import batches
from pipeline.ingest import BatchResult, Ingest
from pipeline.ingest.again import try_again
from pipeline.recording import Recording
from pipeline.store.dead_letters import DeadLetters
from schemas.envelope import RawMessage
from schemas.topics import BROKER_TOPICS, FTS_COMPLETE
from tests.support.database import Database
from tests.support.fts_messages import DAY, MINUTE, SECOND, T, complete_fields, raw
from tests.support.queue_messages import DATA, link, optimizer, optimizer_fields, status, status_fields

pytestmark = pytest.mark.stack

SAMPLES = (
    "SELECT fts, sampled_at::text, vo, channel, channel_type, src_host, dst_host, active, ready, ratio"
    " FROM report.queue_sample ORDER BY sampled_at, fts, vo, channel, src_host, dst_host"
)
SOURCES = "SELECT source, sum(received)::int, sum(stored)::int, sum(duplicate)::int, sum(dead)::int"
HEARD = SOURCES + " FROM report.source_10m GROUP BY 1 ORDER BY 1"


def ingest_all(url: str, messages: Iterable[RawMessage], most: int = 50) -> BatchResult:
    with closing(Ingest(url)) as writer:
        results = [writer.process(batch) for batch in batches(messages, lambda message: 1, most)]
    return BatchResult(*(sum(column) for column in zip(*results, strict=True)))


def test_every_sample_becomes_its_rows(database: Database, ingest: Ingest) -> None:
    messages = [each for each in Recording(DATA / "samples.jsonl", BROKER_TOPICS) if isinstance(each, RawMessage)]
    assert ingest.process(messages) == (7, 6, 0, 1)
    vtb, tier0, cern = "vtb-generic-32.cern.ch", "fts22-t0-export.cern.ch", "lxbra1910.cern.ch"
    cern_cern = [(cern, cern), (cern, "lxbra2502.cern.ch"), ("lxbra2502.cern.ch", "lxbra2502.cern.ch")]
    desy = [f"{host}.desy.de" for host in ("cork", "dublin", "ennis", "galway")]
    in_2011 = [("dteam", "CERN-CERN", None, *pair) for pair in cern_cern]
    in_2011 += [("dteam", "CERN-DESY", None, cern, host) for host in desy]
    in_2011 += [("dteam", "DESY-CERN", None, host, cern) for host in desy]
    in_2011 += [("dteam", "DESY-DESY", None, host, host) for host in desy]
    in_2011 += [("some_other_vo", "CERN-CERN", None, *pair) for pair in cern_cern]
    atlas, eos, to_desy = "srm-atlas.cern.ch", "srm-eosatlas.cern.ch", "dcache-se-atlas.desy.de"
    draft, several = (tier0, "2011-06-15 11:01:36.12+00"), (tier0, "2012-03-30 12:00:00+00")
    assert database.ask(SAMPLES) == [
        (*draft, "unknown", "CERN-CERN", None, None, None, 512, 0, None),
        (*draft, "unknown", "CERN-DESY", None, cern, "cork.desy.de", 47, 0, None),
        (*draft, "unknown", "CERN-DESY", None, cern, "ennis.desy.de", 24, 0, None),
        (*draft, "unknown", "CERN-DESY", None, cern, "galway.desy.de", 6, 0, None),
        *((vtb, "2011-11-24 13:45:12+00", *key, 0, 0, 0.0) for key in in_2011),
        (*several, "atlas", "CERN-CERN", "urlcopy", atlas, eos, 24, 5, 4.8),
        (*several, "atlas", "CERN-CERN", "urlcopy", None, None, 512, 7, 102.4),
        (*several, "atlas", "CERN-DESY", None, atlas, to_desy, None, None, None),
        (*several, "cms", "CERN-DESY", None, atlas, to_desy, 24, None, None),
        (*several, "cms", "CERN-DESY", None, "srm-cms.cern.ch", "dcache-se-cms.desy.de", 3, 0, None),
        (
            *("fts3-atlas.cern.ch", "2024-08-01 00:00:00.123+00", None, None, None),
            *("eosatlas.cern.ch", "dcache-atlas-webdav.desy.de", 18, 140, None),
        ),
    ]
    assert database.ask("SELECT topic, reason FROM report.dead_letter") == [
        ("transfer.fts_monitoring_queue_status", "not_json")
    ]
    again = ingest.process(messages)
    assert again == (7, 0, 6, 1)
    assert database.ask("SELECT fts, window_start::text, samples FROM report.queue_10m WHERE vo IS NULL") == [
        ("fts3-atlas.cern.ch", "2024-08-01 00:00:00+00", 1)
    ]


def test_windows_have_last_mean_and_maximum_of_what_is_known(database: Database, ingest: Ingest) -> None:
    told: list[Any] = [(10, 4, "50%"), (30, 0, "150%"), ("", 8, "nan%"), (20, "", "")]
    fields = [
        status_fields(link(active=active, ready=ready, ratio=ratio), time=T + place * MINUTE)
        for place, (active, ready, ratio) in enumerate(told)
    ]
    fields.append(status_fields(link(active=7, ready=1), time=T + 10 * MINUTE))
    fields.append(status_fields(link(active=0, ready=""), link("", "", active=""), time=T - 1))
    Random(1).shuffle(fields)
    ingest.process([status(each) for each in fields])
    assert database.ask(
        "SELECT window_start::text, src_host, samples, active_last, active_avg, active_max, ready_last, ready_avg,"
        " ready_max, ratio_last, ratio_avg, ratio_max, active_to_max FROM report.queue_10m ORDER BY 1, 2"
    ) == [
        ("2026-11-22 01:50:00+00", "a.x.org", 1, 0, 0.0, 0, None, None, None, 4.0, 4.0, 4.0, None),
        ("2026-11-22 01:50:00+00", None, 1, None, None, None, 3, 3.0, 3, 4.0, 4.0, 4.0, None),
        ("2026-11-22 02:00:00+00", "a.x.org", 4, 20, 20.0, 30, 8, 4.0, 8, 150.0, 100.0, 150.0, 20 / 30),
        ("2026-11-22 02:10:00+00", "a.x.org", 1, 7, 7.0, 7, 1, 1.0, 1, 4.0, 4.0, 4.0, 1.0),
    ]


def test_figures_of_vos_and_channels_stay_apart(database: Database, ingest: Ingest) -> None:
    ingest.process([status(status_fields(link(), vo=vo, channel=channel)) for vo in "ab" for channel in "xy"])
    ingest.process([optimizer(optimizer_fields(endpnt="fts.example.org"))])
    assert database.ask("SELECT vo, channel, active_last FROM report.queue_10m ORDER BY 1, 2") == [
        *((vo, channel, 2) for vo in "ab" for channel in "xy"),
        (None, None, 18),
    ]


LARGER = [
    [{"active": 5, "ready": 0}, {"active": 4, "ready": 9}, {"active": "", "ready": 99}],
    [{"active": 5, "ready": 1, "ratio": ""}, {"active": 5, "ready": 0}, {"active": 5, "ready": ""}],
    [{"ratio": "100.5%"}, {"ratio": "20.5%"}, {"ratio": "inf%"}],
]


@pytest.mark.parametrize("alike", LARGER)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
@pytest.mark.parametrize("most", [1, 3])
def test_of_one_link_and_instant_the_larger_stays(
    database: Database, alike: list[dict[str, Any]], order: Sequence[int], most: int
) -> None:
    # Other links beside it make them different messages.
    messages = [status(status_fields(link(**alike[n]), link(f"beside-{n}.org"))) for n in order]
    ingest_all(database.url, messages, most)
    ingest_all(database.url, messages, most)
    with closing(Ingest(database.url)) as writer:
        writer.process([status(status_fields(link(**alike[0]), time=T + DAY), T + DAY)])
    found = database.ask(
        "SELECT sampled_at < '2026-11-23', active, ready, ratio FROM report.queue_sample"
        " WHERE src_host = 'a.x.org' ORDER BY 1"
    )
    assert found[0][1:] == found[1][1:]
    assert len(found) == 2


def test_types_of_channels_are_ranked_by_their_characters_everywhere(database: Database) -> None:
    def typed(kind: str, n: int) -> RawMessage:
        channels = [{"channel_name": "A-B", "channel_type": kind, "links": [link(), link(f"{n}.org")]}]
        return status(status_fields(vos=[{"voname": "atlas", "channels": channels}]))

    kinds = ["b", "B", "a", "_", "é", "", "Z"]
    for order in (kinds, kinds[::-1]):
        ingest_all(database.url, [typed(kind, n) for n, kind in enumerate(order)], 1)
        assert database.ask("SELECT channel_type FROM report.queue_sample WHERE src_host = 'a.x.org'") == [("é",)]


def rough(seed: int) -> list[RawMessage]:
    """Reports that overlap, repeat and contradict each other, with a few that cannot be used, in no order."""
    rng = Random(seed)
    messages = []
    for number in range(120):
        links = [
            link(
                *(rng.choice(["a.org", "b.org", "c.org", ""]) for _ in range(2)),
                active=rng.choice(["", 0, 1, 2]),
                ready=rng.choice(["", 0, 1]),
            )
            for _ in range(rng.randrange(6))
        ]
        at = T + rng.randrange(4) * 5 * MINUTE - rng.choice([0, DAY])
        fields = status_fields(*links, vo=rng.choice("xy"), time=at)
        ref = f"f:{number}"
        messages.append(
            rng.choice(
                [
                    status(fields, T + MINUTE, ref),
                    optimizer(optimizer_fields(timestamp=at, active_count=rng.randrange(3)), T + MINUTE, ref),
                    raw(FTS_COMPLETE, complete_fields(file_id=number, job_id="j"), T + MINUTE, ref, ref),
                    status(b"{", T + MINUTE, ref),
                ]
            )
        )
    return messages + rng.sample(messages, 40)


def contents(database: Database) -> list[Any]:
    return [
        database.ask(SAMPLES),
        database.ask("SELECT * FROM store.queue_message ORDER BY 1, 2"),
        database.ask(HEARD),
        database.ask("SELECT * FROM report.queue_10m ORDER BY 1, 2, 3, 4, 6, 7"),
    ]


def test_any_order_and_any_batches(database: Database) -> None:
    messages = rough(3)
    ingest_all(database.url, messages, 1000)
    expected = contents(database)
    assert len(expected[0]) > 60
    assert sum(row[3] for row in expected[2]) > 20
    for seed, most in ((1, 1), (2, 7), (3, 40)):
        for table in ("queue_sample", "queue_message", "source_10m", "transfer"):
            database.ask(f"DELETE FROM store.{table}")
        ingest_all(database.url, Random(seed).sample(messages, len(messages)), most)
        assert contents(database) == expected


@pytest.mark.parametrize("round_", range(3))
def test_writers_with_copies_of_the_same_messages_count_each_once(database: Database, round_: int) -> None:
    messages, writers = rough(round_), 4
    barrier = threading.Barrier(writers)

    def write(number: int) -> BatchResult:
        barrier.wait(timeout=60)
        return ingest_all(database.url, Random(number).sample(messages, len(messages)), 23)

    with ThreadPoolExecutor(writers) as pool:
        results = [written.result(timeout=120) for written in [pool.submit(write, n) for n in range(writers)]]
    stored = sum(result.stored for result in results)
    by_four = contents(database)
    for table in ("queue_sample", "queue_message", "source_10m", "transfer"):
        database.ask(f"DELETE FROM store.{table}")
    alone = ingest_all(database.url, messages, 1000)
    assert stored == alone.stored
    assert by_four[:2] == contents(database)[:2]
    assert [(source, kept) for source, _, kept, *_ in by_four[2]] == [
        (source, kept) for source, _, kept, *_ in database.ask(HEARD)
    ]


def test_messages_are_counted_and_not_samples(database: Database, ingest: Ingest) -> None:
    many = status(status_fields(*(link(f"{n}.org") for n in range(500))))
    empty = status(status_fields(time=T + SECOND))
    assert ingest.process([many, empty, many]) == (3, 2, 1, 0)
    assert ingest.process([empty, many]) == (2, 0, 2, 0)
    assert database.ask(HEARD) == [("fts.example.org", 5, 2, 3, 0)]
    assert database.value("SELECT count(*) FROM report.queue_sample") == 500
    assert database.ask("SELECT source, last_event_at::text FROM report.freshness") == [
        ("fts.example.org", "2026-11-22 02:00:01+00")
    ]


def test_dead_letters_are_heard_from_their_topic_and_can_be_replayed(database: Database, ingest: Ingest) -> None:
    bad = [status(b"{", ref="1"), optimizer(optimizer_fields(active_count=-1), ref="2")]
    assert ingest.process(bad) == (2, 0, 0, 2)
    assert ingest.process(bad) == (2, 0, 0, 2)
    assert [(source, dead) for source, *_, dead in database.ask(HEARD)] == [
        ("transfer.fts_monitoring_queue_state", 2),
        ("transfer.fts_monitoring_queue_status", 2),
    ]
    ids = [number for (number,) in database.ask("SELECT id FROM report.dead_letter ORDER BY reason")]
    database.ask("UPDATE store.dead_letter SET body = %s WHERE id = %s", (b'{"fts_id": "f", "time": %d}' % T, ids[1]))
    with closing(DeadLetters(database.url)) as letters:
        tried = try_again(letters, ingest, ids)
    assert (tried.replayed, [died.reason for died in tried.died_again]) == (1, ["bad_count"])
    assert database.value("SELECT count(*) FROM store.queue_message") == 1


def test_a_name_of_any_length_is_stored(database: Database, ingest: Ingest) -> None:
    long = "x" * 100_000
    assert ingest.process([status(status_fields(link(long), vo=long, channel=long))]) == (1, 1, 0, 0)
    assert database.value("SELECT length(vo) + length(channel) + length(src_host) FROM report.queue_sample") == 300_000
