"""Laws of the look-ups, over drawn topologies: they equal a plain scan of the document, at any time, in any order."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.topology.changes import changes
from pipeline.topology.files import parse
from pipeline.topology.model import Change
from pipeline.topology.resolve import Topology
from pipeline.topology.rules import suffixes
from tests.support.topology_scan import scan, scan_site

# A drawn topology is read and resolved in ms, but the machine may be busy with others.
unhurried = settings(deadline=None)
thorough = settings(deadline=None, max_examples=200)

FIRST = datetime(2011, 11, 18, tzinfo=UTC)
TIMES = [(FIRST + timedelta(days=day)).isoformat() for day in range(6)]
INSTANTS = [int((FIRST + timedelta(days=day)).timestamp()) * 1000 + shift for day in range(6) for shift in (-1, 0, 1)]
SITES = [
    {"name": "A", "country": "FR"},
    {"name": "B", "country": "DE"},
    {"name": "C", "country": "FR"},
    {"name": "D"},
]
# Few names, the first ones drawn most: entries must meet for their rules to matter.
HOSTS = ["se.in.a.fr", "se.in.a.fr", "in.a.fr", "se.b.de"]
WORDS = ["", "ATLASDATADISK", "DATADISK", "proddisk"]


class Query(NamedTuple):
    host: str
    vo: str
    at_ms: int
    rse: str
    url: str
    token: str


site = st.sampled_from([str(entry["name"]) for entry in SITES])
vos = st.lists(st.sampled_from(["atlas", "CMS"]), max_size=2, unique=True)


@st.composite
def timed(draw: st.DrawFn, /, **fields: st.SearchStrategy[Any]) -> dict[str, Any]:
    entry = draw(st.fixed_dictionaries(fields))
    begin, end = sorted(draw(st.lists(st.integers(0, 5), min_size=2, max_size=2, unique=True)))
    if draw(st.booleans()):
        entry["valid_from"] = TIMES[begin]
    if draw(st.booleans()):
        entry["valid_to"] = TIMES[end]
    return entry


hosts = st.lists(timed(host=st.sampled_from(HOSTS), site=site, vos=vos), max_size=5)
domains = st.lists(
    timed(
        domain=st.sampled_from(["a.fr", "in.a.fr", "b.de"]),
        sites=st.lists(site, min_size=1, max_size=2, unique=True),
        vos=vos,
    ),
    max_size=4,
)


def doors(hosts: list[str], vos: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return timed(
        name=st.sampled_from(["E1", "e1", "E2", "F"]),
        vo=st.sampled_from(vos),
        site=site,
        host=st.sampled_from(hosts),
        path=st.sampled_from(["", "/", "/p", "/p/", "/p/q", "srm://x:1/srm/managerv2?SFN=//p//q/atlasdatadisk"]),
        token=st.sampled_from(WORDS),
        type=st.sampled_from(WORDS),
    )


endpoints = st.lists(doors(["se.in.a.fr", "se.in.a.fr", "se.b.de"], ["atlas", "Atlas", "cms"]), max_size=6)
# One endpoint that no query asks for keeps the document from being refused as empty.
ANCHOR = {"name": "ANCHOR", "vo": "none", "site": "A"}
documents = st.builds(
    lambda hosts, domains, endpoints: {
        "sites": SITES,
        "hosts": hosts,
        "domains": domains,
        "endpoints": [ANCHOR, *endpoints],
    },
    hosts,
    domains,
    endpoints,
)
urls = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "srm://x:8443", "root://x/", "srm://x:8446/srm/managerv2?SFN="]),
    st.sampled_from(["/", "/p", "//p/qq", "/p//q", "/p/q/atlasdatadisk", "/p/PRODDISK", "/atlasproddisk/datadisk"]),
    st.sampled_from(["", "/", "/file", "/rucio//file", "?a=/proddisk/b", "x/file"]),
)
queries = st.builds(
    Query,
    st.sampled_from([*HOSTS, "se.in.a.fr", "q.in.a.fr", "xin.a.fr", "unknown"]),
    st.sampled_from(["atlas", "ATLAS", "atlas", "cms", "lhcb"]),
    st.sampled_from(INSTANTS),
    st.sampled_from(["", "", "", "E1", "e1", "f", "G"]),
    st.one_of(st.just(""), urls),
    st.sampled_from(["", "", "atlas:ATLASDATADISK", "PRODDISK", "OTHER"]),
)


# All doors at one host of one VO, so that token, path and directory names must tell them apart.
crowded = st.builds(
    lambda endpoints: {"sites": SITES, "hosts": [], "domains": [], "endpoints": [ANCHOR, *endpoints]},
    st.lists(doors(["se.in.a.fr"], ["atlas"]), min_size=2, max_size=6),
)
to_the_crowd = st.builds(
    Query,
    st.just("se.in.a.fr"),
    st.just("atlas"),
    st.sampled_from(INSTANTS),
    st.just(""),
    urls,
    st.sampled_from(["", "", "atlas:ATLASDATADISK", "PRODDISK"]),
)


def load(document: dict[str, Any], revision: int = 1) -> Topology:
    return Topology(parse(json.dumps(document).encode(), "drawn").facts, revision)


def everywhen(asked: list[Query]) -> list[Query]:
    """Each query just before, at and just after every time at which anything can begin or end."""
    return [query._replace(at_ms=at_ms) for query in asked for at_ms in INSTANTS]


def check_changes(before: dict[str, Any], after: dict[str, Any], asked: list[Query]) -> None:
    old, new = load(before), load(after, 2)
    found = changes(old, new)
    for query in everywhen(asked):
        if old.resolve(*query) != new.resolve(*query):
            assert any(covers(change, query) for change in found)


def covers(change: Change, query: Query) -> bool:
    if not change.from_ms <= query.at_ms < change.to_ms:
        return False
    if change.kind == "endpoint":
        return change.name == query.rse.lower()
    return change.name in ([query.host] if change.kind == "host" else suffixes(query.host))


@unhurried
@given(documents, st.lists(queries, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_a_look_up_equals_a_scan_of_the_document_whatever_was_asked_before(
    document: dict[str, Any], asked: list[Query], order: random.Random
) -> None:
    topology = load(document)
    asked = everywhen(asked)
    order.shuffle(asked)
    for query in asked:
        assert topology.resolve(*query) == scan(document, *query)


@thorough
@given(crowded, st.lists(to_the_crowd, min_size=1, max_size=8))
def test_many_endpoints_on_one_host_are_told_apart_as_a_scan_does(document: dict[str, Any], asked: list[Query]) -> None:
    topology = load(document)
    for query in everywhen(asked):
        assert topology.resolve(*query) == scan(document, *query)


@thorough
@given(crowded, crowded, st.lists(to_the_crowd, min_size=1, max_size=8))
def test_whatever_endpoint_is_found_differently_after_a_load_is_among_the_changes(
    before: dict[str, Any], after: dict[str, Any], asked: list[Query]
) -> None:
    check_changes(before, after, asked)


@unhurried
@given(documents, queries)
def test_the_two_halves_of_a_look_up_agree_with_the_whole(document: dict[str, Any], query: Query) -> None:
    topology = load(document)
    whole = topology.resolve(*query)
    place = topology.site_of(query.host, query.vo, query.at_ms)
    endpoint = topology.endpoint_of(query.rse, query.host, query.url, query.token, query.vo, query.at_ms)
    assert tuple(place) == scan_site(document, query.host, query.vo, query.at_ms)
    assert endpoint.name == whole.endpoint
    if endpoint.site != "unknown":
        assert (whole.site, whole.country) == (endpoint.site, endpoint.country)
    else:
        assert (whole.site, whole.country) == (place.site, place.country)
    assert whole.status == (place.status if endpoint.status == "unknown" else endpoint.status)


@unhurried
@given(documents, documents, st.lists(queries, min_size=1, max_size=4))
def test_whatever_resolves_differently_after_a_load_is_among_the_changes(
    before: dict[str, Any], after: dict[str, Any], asked: list[Query]
) -> None:
    check_changes(before, after, asked)


@unhurried
@given(hosts, hosts)
@example([{"host": "se.b.de", "site": "A"}], [{"host": "se.b.de", "site": "A"}, {"host": "se.b.de", "site": "B"}])
def test_at_every_instant_of_a_change_of_a_host_some_vo_is_placed_differently(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    base: dict[str, Any] = {"sites": SITES, "domains": [], "endpoints": [ANCHOR]}
    old, new = load({**base, "hosts": before}), load({**base, "hosts": after})
    for change in changes(old, new):
        edges = [instant for instant in INSTANTS if change.from_ms <= instant < change.to_ms]
        for at_ms in [change.from_ms, change.to_ms - 1, *edges]:
            places = {
                vo: (old.site_of(change.name, vo, at_ms), new.site_of(change.name, vo, at_ms))
                for vo in ("atlas", "cms", "lhcb")
            }
            assert any(one != two for one, two in places.values()), (change, at_ms)


@unhurried
@given(documents)
def test_loading_the_same_again_changes_nothing(document: dict[str, Any]) -> None:
    shuffled = {**document, "hosts": document["hosts"][::-1], "endpoints": document["endpoints"][::-1]}
    assert changes(load(document), load(shuffled, 2)) == []
