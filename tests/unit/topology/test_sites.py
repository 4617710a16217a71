"""Which site a host belongs to."""

from __future__ import annotations

import pytest

from pipeline.topology import resolve
from pipeline.topology.resolve import Topology
from tests.unit.topology.build import DAY_MS, JAN_2012, NOW, domain, host, topology


def test_an_empty_topology_knows_nothing_and_is_revision_0() -> None:
    empty = Topology.empty()
    assert empty.revision == 0
    assert empty.resolve("se.a.fr", "atlas", NOW) == ("unknown", "unknown", "unknown", "unknown")


def test_an_entry_of_the_host_goes_before_its_domain() -> None:
    known = topology(hosts=[host("se.a.fr", "B")], domains=[domain("a.fr", "A"), domain("se.a.fr", "A")])
    assert known.site_of("se.a.fr", "atlas", NOW) == ("B", "DE", "host")
    assert known.site_of("other.a.fr", "atlas", NOW) == ("A", "FR", "domain")


def test_the_longest_domain_goes_first_and_only_whole_labels_count() -> None:
    known = topology(domains=[domain("a.fr", "A"), domain("in.a.fr", "B")])
    assert known.site_of("x.y.in.a.fr", "atlas", NOW).site == "B"
    assert known.site_of("in.a.fr", "atlas", NOW).site == "B"
    assert known.site_of("xin.a.fr", "atlas", NOW).site == "A"
    assert known.site_of("xa.fr", "atlas", NOW).status == "unknown"


def test_intervals_hold_from_their_first_instant_to_before_their_last() -> None:
    known = topology(
        hosts=[
            host("se.a.fr", "A", valid_to="2012-01-01T00:00:00Z"),
            host("se.a.fr", "B", valid_from="2012-01-01T00:00:00Z", valid_to="2012-01-02T00:00:00Z"),
        ],
        domains=[domain("a.fr", "C")],
    )
    at = [JAN_2012 - 1, JAN_2012, JAN_2012 + DAY_MS - 1, JAN_2012 + DAY_MS]
    assert [known.resolve("se.a.fr", "cms", time).site for time in at] == ["A", "B", "B", "C"]
    assert [known.resolve("se.a.fr", "cms", time).site for time in reversed(at)] == ["C", "B", "B", "A"]


def test_a_domain_that_ended_leaves_its_hosts_to_the_domain_above_it() -> None:
    known = topology(
        domains=[
            domain("in.a.fr", "A", valid_to="2012-01-01"),
            domain("a.fr", "B", valid_to="2012-01-02"),
            domain("a.fr", "C", valid_from="2012-01-02"),
        ]
    )
    at = [JAN_2012 - 1, JAN_2012, JAN_2012 + DAY_MS - 1, JAN_2012 + DAY_MS]
    assert [known.resolve("se.in.a.fr", "cms", time).site for time in at] == ["A", "B", "B", "C"]


def test_an_entry_for_a_vo_goes_before_one_for_all_and_binds_no_other_vo() -> None:
    known = topology(hosts=[host("se.a.fr", "A"), host("se.a.fr", "B", vos=["CMS"]), host("s2.a.fr", "B", vos=["cms"])])
    assert known.site_of("se.a.fr", "cms", NOW).site == "B"
    assert known.site_of("se.a.fr", "atlas", NOW).site == "A"
    assert known.site_of("s2.a.fr", "atlas", NOW).status == "unknown"


def test_of_two_entries_the_later_begun_is_taken() -> None:
    known = topology(hosts=[host("se.a.fr", "B", valid_from="2012-01-01"), host("se.a.fr", "A")])
    assert known.site_of("se.a.fr", "atlas", NOW) == ("B", "DE", "host")


def test_where_two_entries_cannot_be_told_apart_no_site_is_guessed_but_their_country_is_kept() -> None:
    known = topology(
        hosts=[host("x.fr", "A"), host("x.fr", "B"), host("y.fr", "A"), host("y.fr", "C")],
        domains=[domain("a.fr", "C", "A")],
    )
    assert known.site_of("x.fr", "atlas", NOW) == ("unknown", "unknown", "ambiguous")
    assert known.site_of("y.fr", "atlas", NOW) == ("unknown", "FR", "ambiguous")
    assert known.site_of("se.a.fr", "atlas", NOW) == ("unknown", "FR", "ambiguous")


def test_an_ambiguous_host_does_not_fall_back_to_its_domain() -> None:
    known = topology(hosts=[host("se.a.fr", "A"), host("se.a.fr", "B")], domains=[domain("a.fr", "A")])
    assert known.site_of("se.a.fr", "atlas", NOW).status == "ambiguous"


def test_a_full_cache_starts_anew_and_goes_on_answering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "CACHE_ENTRIES", 3)
    known = topology(domains=[domain("a.fr", "A")])
    for _ in range(2):
        for number in range(10):
            assert known.resolve(f"h{number}.a.fr", "atlas", NOW).site == "A"
            assert len(known._cache) <= 3


def test_the_text_of_a_broken_message_is_answered_but_not_kept() -> None:
    known = topology(domains=[domain("a.fr", "A")])
    assert known.resolve("x" * 1_000_000 + ".a.fr", "atlas", NOW).site == "A"
    assert known.resolve("se.a.fr", "atlas", NOW, "R" * 1_000_000).site == "A"
    assert known._cache == {}
