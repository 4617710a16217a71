"""Dumps one after another: what changed ends at the load, nothing is forgotten, the same again changes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.topology.compose import Composed, Dump, compose, reading
from pipeline.topology.model import NO_FACTS, TopologyError
from pipeline.topology.resolve import Topology
from tests.unit.topology.build import DAY_MS, JAN_2012, NOW

unhurried = settings(deadline=None)


def services(places: dict[str, list[str]]) -> bytes:
    """A dump of CRIC that places hosts at sites."""
    listed = [(host, site) for host, sites in places.items() for site in sites]
    return json.dumps(
        {
            f"SE{n}": {"rcsite": site, "protocols": {"p": {"endpoint": f"srm://{host}:8443"}}}
            for n, (host, site) in enumerate(listed)
        }
    ).encode()


def load(before: Composed | None, at_ms: int, *dumps: bytes, force: bool = True) -> Composed:
    readings = [reading(Dump(f"dump {n}", dump)) for n, dump in enumerate(dumps)]
    return compose(readings, before and before.document, before.facts if before else NO_FACTS, at_ms, force)


def site(composed: Composed, host: str, at_ms: int, vo: str = "cms") -> str:
    return Topology(composed.facts, 1).resolve(host, vo, at_ms).site


def test_a_renamed_site_has_its_old_name_before_the_load_and_the_new_one_after() -> None:
    first = load(None, JAN_2012, services({"se.a.fr": ["OLD"], "se.b.fr": ["B"]}))
    second = load(first, NOW, services({"se.a.fr": ["NEW"], "se.b.fr": ["B"]}))
    assert [site(second, "se.a.fr", at) for at in (0, NOW - 1, NOW)] == ["OLD", "OLD", "NEW"]
    assert [entry for entry in second.document["hosts"] if entry["host"] == "se.b.fr"] == [
        {"host": "se.b.fr", "site": "B"}
    ]
    third = load(second, NOW + DAY_MS, services({"se.a.fr": ["OLD"], "se.b.fr": ["B"]}))
    assert [site(third, "se.a.fr", at) for at in (0, NOW, NOW + DAY_MS)] == ["OLD", "NEW", "OLD"]


def test_a_host_that_is_gone_ends_and_one_that_comes_was_always_there() -> None:
    first = load(None, JAN_2012, services({"se.a.fr": ["A"], "se.b.fr": ["B"]}))
    second = load(first, NOW, services({"se.a.fr": ["A"], "se.c.fr": ["C"]}))
    assert [site(second, "se.b.fr", at) for at in (NOW - 1, NOW)] == ["B", "unknown"]
    assert site(second, "se.c.fr", 0) == "C"
    assert {each["name"] for each in second.document["sites"]} == {"A", "B", "C"}


def test_a_correction_at_the_same_instant_leaves_no_empty_interval() -> None:
    first = load(None, JAN_2012, services({"se.a.fr": ["A"]}))
    wrong = load(first, NOW, services({"se.a.fr": ["WRONG"]}))
    right = load(wrong, NOW, services({"se.a.fr": ["RIGHT"]}))
    assert [site(right, "se.a.fr", at) for at in (NOW - 1, NOW)] == ["A", "RIGHT"]
    assert {each["name"] for each in right.document["sites"]} == {"A", "RIGHT"}


def test_an_instant_of_the_past_corrects_all_that_was_said_of_the_time_after_it() -> None:
    first = load(None, JAN_2012, services({"se.a.fr": ["OLD"]}))
    second = load(first, NOW, services({"se.a.fr": ["NEW"]}))
    earlier = load(second, NOW - DAY_MS, services({"se.a.fr": ["NEW"]}))
    assert [site(earlier, "se.a.fr", at) for at in (NOW - DAY_MS - 1, NOW - DAY_MS, NOW)] == ["OLD", "NEW", "NEW"]
    never = load(second, NOW - DAY_MS, services({"se.a.fr": ["OLD"]}))
    assert [site(never, "se.a.fr", at) for at in (0, NOW - DAY_MS, NOW)] == ["OLD", "OLD", "OLD"]
    assert load(never, NOW, services({"se.a.fr": ["OLD"]})).document == never.document == first.document


def test_a_host_that_gets_a_second_site_is_ambiguous_from_then_on_and_told() -> None:
    first = load(None, JAN_2012, services({"se.a.fr": ["A"]}))
    second = load(first, NOW, services({"se.a.fr": ["A", "B"]}))
    resolved = Topology(second.facts, 1).resolve("se.a.fr", "cms", NOW)
    assert (resolved.site, resolved.status) == ("unknown", "ambiguous")
    assert site(second, "se.a.fr", NOW - 1) == "A"
    assert any("se.a.fr" in warning and "ambiguous" in warning for warning in second.warnings)


def test_of_several_sources_the_first_that_names_a_host_decides() -> None:
    a, b = services({"se.a.fr": ["A"], "x.fr": ["A"]}), services({"se.a.fr": ["B"], "y.fr": ["B"]})
    both = load(None, NOW, a, b)
    assert (site(both, "se.a.fr", NOW), site(both, "y.fr", NOW)) == ("A", "B")
    assert site(load(None, NOW, b, a), "se.a.fr", NOW) == "B"


def test_our_own_file_before_dumps_states_its_own_times_for_what_it_names() -> None:
    own = {
        "sites": [{"name": "OLD", "country": "FR"}, {"name": "NEW"}],
        "hosts": [
            {"host": "SE.a.fr", "site": "OLD", "valid_to": "2012-02-01"},
            {"host": "se.a.fr", "site": "NEW", "valid_from": "2012-02-01"},
        ],
    }
    first = load(None, NOW, json.dumps(own).encode(), services({"se.a.fr": ["CRIC"], "se.b.fr": ["new"]}))
    assert [site(first, "se.a.fr", at) for at in (JAN_2012, NOW)] == ["OLD", "NEW"]
    # Case does not tell sites apart; the first spelling stays.
    assert site(first, "se.b.fr", NOW) == "NEW"


def test_our_own_file_alone_replaces_what_was_loaded() -> None:
    first = load(None, JAN_2012, services({"se.a.fr": ["A"]}))
    own = {"sites": [{"name": "B"}], "hosts": [{"host": "se.b.fr", "site": "B"}]}
    assert load(first, NOW, json.dumps(own).encode()).document == own


def test_sites_are_completed_from_all_sources_and_from_before() -> None:
    rcsite = json.dumps({"A": {"rc_tier_level": 1, "country_code": "FR"}}).encode()
    first = load(None, JAN_2012, services({"se.a.fr": ["A"]}), rcsite)
    assert first.document["sites"] == [{"name": "A", "country": "FR", "tier": 1}]
    assert load(first, NOW, services({"se.a.fr": ["A"]})).document["sites"] == first.document["sites"]


def test_a_site_known_by_its_cms_name_only_is_the_site_that_cms_calls_so() -> None:
    osg = {"se.unl.edu": [{"resource_group": "Nebraska", "wlcg_accounting_name": "T2_US_Nebraska"}]}
    phedex = {"phedex": {"node": [{"name": "T2_US_Nebraska", "se": "other.unl.edu"}]}}
    both = load(None, NOW, json.dumps(osg).encode(), json.dumps(phedex).encode())
    assert site(both, "other.unl.edu", NOW) == "Nebraska"
    assert [each["name"] for each in both.document["sites"]] == ["Nebraska"]


def test_an_endpoint_that_moves_keeps_its_past() -> None:
    def endpoint(host: str) -> bytes:
        return json.dumps(
            {
                "A_DATADISK": {
                    "rc_site": "A",
                    "type": "DATADISK",
                    "token": "ATLASDATADISK",
                    "aprotocols": {"read_wan": [[f"srm://{host}:8443/srm/managerv2?SFN=", 1, "/data/rucio/"]]},
                }
            }
        ).encode()

    second = load(load(None, JAN_2012, endpoint("old.a.fr")), NOW, endpoint("new.a.fr"))
    known = Topology(second.facts, 1)
    url = "srm://x:8443/srm/managerv2?SFN=//data//f"
    for host, at_ms, expected in (("old.a.fr", NOW - 1, "A_DATADISK"), ("new.a.fr", NOW, "A_DATADISK")):
        assert known.resolve(host, "atlas", at_ms, "", url).endpoint == expected
    assert known.resolve("old.a.fr", "atlas", NOW, "", url).endpoint == "unknown"


def test_half_of_the_hosts_is_enough_and_less_is_refused_unless_forced() -> None:
    first = load(None, JAN_2012, services({f"se{n}.fr": ["A"] for n in range(5)}))
    three = services({f"se{n}.fr": ["A"] for n in range(3)})
    two = services({f"se{n}.fr": ["A"] for n in range(2)})
    load(first, NOW, three, force=False)
    with pytest.raises(TopologyError, match=r"it has 2 hosts where the one in use has 5, less than half.*--force"):
        load(first, NOW, two, force=False)
    load(first, NOW, two, force=True)


def test_a_source_that_is_missing_is_noticed_by_its_kind() -> None:
    domains = json.dumps({"a.fr": ["A"]}).encode()
    first = load(None, JAN_2012, services({"se.a.fr": ["A"]}), domains)
    with pytest.raises(TopologyError, match="it has 0 domains where the one in use has 1"):
        load(first, NOW, services({"se.a.fr": ["A"]}), force=False)


def test_what_places_no_host_is_no_topology_alone() -> None:
    scitags = b'{"experiments": [{"expName": "atlas", "expId": 2, "activities": []}], "version": 1}'
    with pytest.raises(TopologyError, match="places no host"):
        load(None, NOW, scitags)
    both = load(None, NOW, services({"se.a.fr": ["A"]}), scitags)
    assert both.document["experiments"] == [{"vo": "atlas", "id": 2}]


HOSTS = [f"se{n}.fr" for n in range(5)]
places = st.dictionaries(
    st.sampled_from(HOSTS), st.lists(st.sampled_from("ABc"), min_size=1, max_size=2, unique=True), min_size=1
)
loads = st.lists(st.lists(places, min_size=1, max_size=3), min_size=1, max_size=5)


def _history(drawn: Sequence[Sequence[dict[str, list[str]]]]) -> list[Composed]:
    known: list[Composed] = []
    for day, sources in enumerate(drawn):
        known.append(load(known[-1] if known else None, NOW + day * DAY_MS, *map(services, sources)))
    return known


def _intervals(document: dict[str, Any], host: str) -> list[tuple[str, str]]:
    found = {
        (entry.get("valid_from", ""), entry.get("valid_to", "9"))
        for entry in document["hosts"]
        if entry["host"] == host
    }
    return sorted(found)


@unhurried
@given(loads)
def test_no_host_is_ever_lost_and_the_intervals_of_one_never_overlap(
    drawn: list[list[dict[str, list[str]]]],
) -> None:
    for number, known in enumerate(_history(drawn)):
        named = {host for sources in drawn[: number + 1] for source in sources for host in source}
        assert {entry["host"] for entry in known.document["hosts"]} == named
        for host in named:
            spans = _intervals(known.document, host)
            assert all(one[1] <= two[0] for one, two in pairwise(spans))
            assert all(start < end for start, end in spans)


@unhurried
@given(loads, st.integers(1, 1000))
def test_the_same_again_changes_nothing_whenever_it_comes(drawn: list[list[dict[str, list[str]]]], later: int) -> None:
    last = _history(drawn)[-1]
    again = load(last, NOW + (len(drawn) + later) * DAY_MS, *map(services, drawn[-1]), force=False)
    assert again.document == last.document


@unhurried
@given(loads, places, st.integers(-2, 6))
def test_whatever_the_instant_a_load_is_true_from_it_on(
    drawn: list[list[dict[str, list[str]]]], places: dict[str, list[str]], day: int
) -> None:
    at_ms = NOW + day * DAY_MS
    before = _history(drawn)[-1]
    after = load(before, at_ms, services(places))
    for later in (at_ms, at_ms + 1, NOW + 10 * DAY_MS):
        for host in HOSTS:
            sites = places.get(host, [])
            assert site(after, host, later) == (sites[0] if len(sites) == 1 else "unknown")
    for host in {entry["host"] for entry in before.document["hosts"]}:
        assert site(after, host, at_ms - 1) == site(before, host, at_ms - 1)


@unhurried
@given(loads)
def test_every_load_says_of_its_own_time_what_it_said_when_it_was_the_newest(
    drawn: list[list[dict[str, list[str]]]],
) -> None:
    history = _history(drawn)
    last = Topology(history[-1].facts, 1)
    for day, sources in enumerate(drawn):
        for host in HOSTS:
            first = next((source[host] for source in sources if host in source), [])
            expected = first[0] if len(first) == 1 else "unknown"
            # Known by a later load alone: taken as always so.
            if host in _intervals_of_all(history[day]):
                assert last.resolve(host, "cms", NOW + day * DAY_MS).site == expected


def _intervals_of_all(known: Composed) -> set[str]:
    return {entry["host"] for entry in known.document["hosts"]}
