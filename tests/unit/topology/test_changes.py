"""What a load changes, and when."""

from __future__ import annotations

import pytest

from pipeline.topology.changes import changes
from pipeline.topology.model import BEGIN_MS, END_MS, Change
from pipeline.topology.resolve import Topology
from tests.unit.topology.build import DAY_MS, JAN_2012, SITES, domain, door, host, topology


def test_the_first_load_changes_all_that_it_names_in_the_times_in_which_it_holds() -> None:
    new = topology(
        hosts=[host("se.a.fr", "A", valid_to="2012-01-01")],
        domains=[domain("a.fr", "A")],
        endpoints=[door("E", host="se.b.de", valid_from="2012-01-01")],
    )
    assert changes(Topology.empty(), new) == [
        Change("domain", "a.fr", BEGIN_MS, END_MS),
        Change("endpoint", "e", JAN_2012, END_MS),
        Change("host", "se.a.fr", BEGIN_MS, JAN_2012),
        Change("host", "se.b.de", JAN_2012, END_MS),
    ]


def test_ending_an_entry_changes_only_the_time_after_its_end() -> None:
    old = topology(hosts=[host("se.a.fr", "A")])
    new = topology(hosts=[host("se.a.fr", "A", valid_to="2012-01-01"), host("se.a.fr", "B", valid_from="2012-01-02")])
    assert changes(old, new) == [Change("host", "se.a.fr", JAN_2012, END_MS)]
    assert changes(new, old) == [Change("host", "se.a.fr", JAN_2012, END_MS)]


def test_two_spans_apart_are_two_changes() -> None:
    old = topology(hosts=[host("se.a.fr", "A")])
    new = topology(
        hosts=[
            host("se.a.fr", "A"),
            host("se.a.fr", "B", valid_from="2012-01-01", valid_to="2012-01-02"),
            host("se.a.fr", "B", valid_from="2012-01-03", valid_to="2012-01-04"),
        ]
    )
    assert changes(old, new) == [
        Change("host", "se.a.fr", JAN_2012, JAN_2012 + DAY_MS),
        Change("host", "se.a.fr", JAN_2012 + 2 * DAY_MS, JAN_2012 + 3 * DAY_MS),
    ]


@pytest.mark.parametrize(
    "same",
    [
        {"hosts": [host("se.a.fr", "A", valid_to="2012-01-01"), host("se.a.fr", "A", valid_from="2012-01-01")]},
        {"hosts": [host("se.a.fr", "A"), host("se.a.fr", "A", vos=["cms"])]},
        {"hosts": [host("SE.a.fr.", "A", valid_from="1970-01-01T01:00:00+01:00")]},
    ],
)
def test_the_same_facts_in_other_words_change_nothing(same: dict[str, list[dict[str, object]]]) -> None:
    assert changes(topology(hosts=[host("se.a.fr", "A")]), topology(2, **same)) == []


def test_a_site_that_gets_its_country_changes_all_that_stands_there() -> None:
    entries = {
        "hosts": [host("se.a.fr", "A")],
        "domains": [domain("a.fr", "A"), domain("b.de", "B")],
        "endpoints": [door("E", host="")],
    }
    moved = [{**site, "country": "CH"} if site["name"] == "A" else site for site in SITES]
    assert [
        (change.kind, change.name) for change in changes(topology(**entries), topology(2, **entries, sites=moved))
    ] == [
        ("domain", "a.fr"),
        ("endpoint", "e"),
        ("host", "se.a.fr"),
    ]


def test_two_entries_of_an_endpoint_that_swap_their_order_change_the_host_where_both_hold() -> None:
    old = topology(endpoints=[door("E"), door("E", site="B", valid_from="2012-01-01")])
    new = topology(endpoints=[door("E", site="B"), door("E", valid_from="2012-01-01")])
    assert changes(old, new) == [
        Change("endpoint", "e", BEGIN_MS, END_MS),
        Change("host", "se.a.fr", BEGIN_MS, END_MS),
    ]
