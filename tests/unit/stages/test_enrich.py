"""Both ends of every event are looked up at its event time; no record is dropped for what is not known."""

from __future__ import annotations

from typing import Any, NamedTuple

from pipeline.stages.decode import decode
from pipeline.stages.enrich import enrich
from pipeline.stages.windows import LinkKey
from pipeline.topology.resolve import Topology
from schemas.rules import Horizon
from schemas.topics import FTS_COMPLETE, FTS_START
from tests.support.fts_messages import SECOND, T, complete_fields, raw, start_fields


class Found(NamedTuple):
    site: str
    country: str
    endpoint: str
    status: str


class Asked:
    """A topology that knows two hosts and remembers what it was asked."""

    revision = 3

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def resolve(self, host: str, vo: str, at_ms: int, rse: str, url: str, token: str) -> Found:
        self.asked.append((host, vo, at_ms, rse, url, token))
        sites = {"a.x.org": Found("A", "FR", "A_DISK", "host"), "b.y.org": Found("B", "DE", "B_TAPE", "message")}
        return sites.get(host, Found("unknown", "unknown", "unknown", "unknown"))


METADATA = {"activity": "Express", "src_rse": "A_DISK", "dst_rse": "B_TAPE"}


def test_an_event_gets_the_places_of_its_time() -> None:
    topology = Asked()
    messages = [
        raw(FTS_START, start_fields(file_metadata=METADATA, srm_space_token_dst="TAPE")),
        raw(FTS_COMPLETE, complete_fields()),
    ]
    batch = enrich(decode(messages, Horizon()), topology)
    assert topology.asked[:2] == [
        ("a.x.org", "atlas", T, "A_DISK", "davs://a.x.org:443/file", ""),
        ("b.y.org", "atlas", T, "B_TAPE", "davs://b.y.org:443/file", "TAPE"),
    ]
    assert {asked[2] for asked in topology.asked[2:]} == {T + 60 * SECOND}
    link = LinkKey(
        technology="fts",
        fts="fts3.example.org",
        vo="atlas",
        channel="a.x.org__b.y.org",
        src_host="a.x.org",
        dst_host="b.y.org",
        src_site="A",
        dst_site="B",
        src_country="FR",
        dst_country="DE",
    )
    assert [batch.starts[0].link, batch.completes[0].link] == [link, link]
    assert (batch.completes[0].src.endpoint, batch.completes[0].dst.status) == ("A_DISK", "message")
    assert batch.topology_revision == 3


def test_an_unknown_host_drops_nothing() -> None:
    messages = [
        raw(FTS_START, start_fields(src_hostname="", src_url="", dst_hostname="nowhere.org")),
        raw(FTS_COMPLETE, complete_fields(src_hostname="invalid hostname")),
        raw(FTS_START, b"{"),
    ]
    batch = enrich(decode(messages, Horizon()), Topology.empty())
    (started,), (ended,) = batch.starts, batch.completes
    assert (started.link.src_host, started.dst.status) == ("unknown", "unknown")
    assert (ended.link.src_host, ended.dst.status) == ("unknown", "unknown")
    assert [dead.reason for dead in batch.dead] == ["not_json"]
    assert batch.topology_revision == 0
