"""Topology files: what is broken is refused with the place named, what contradicts itself is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.topology.files import Parsed, parse
from pipeline.topology.model import BEGIN_MS, END_MS, TopologyError

SITES = [{"name": "A", "country": "FR"}, {"name": "B", "country": "DE"}]
HOST = {"host": "se.a.fr", "site": "A"}
NOON = 1_321_617_600_000


def read(**parts: Any) -> Parsed:
    return parse(json.dumps({"sites": SITES, **parts}).encode(), "t.json")


def refusal(content: bytes) -> str:
    with pytest.raises(TopologyError) as caught:
        parse(content, "t.json")
    return str(caught.value)


def refused(**parts: Any) -> str:
    return refusal(json.dumps({"sites": SITES, **parts}).encode())


@pytest.mark.parametrize(
    ("parts", "where", "what"),
    [
        ({"hosts": [HOST, {"host": "x.fr"}]}, "hosts[1]", "missing required field `site`"),
        ({"hosts": [{**HOST, "valid_form": "2011"}]}, "hosts[0]", "unknown field `valid_form`"),
        ({"hosts": [{**HOST, "site": 7}]}, "hosts[0].site", "expected `str`, got `int`"),
        ({"hosts": [{**HOST, "site": "C"}]}, 'hosts[0] "se.a.fr"', 'site "C" is not among the sites'),
        ({"hosts": [{**HOST, "host": "srm://se.a.fr"}]}, "hosts[0]", "not a bare host or domain name"),
        ({"hosts": [{**HOST, "host": "se.a.fr:8443"}]}, "hosts[0]", "not a bare host or domain name"),
        ({"hosts": [{**HOST, "host": "se a.fr"}]}, "hosts[0]", "not a bare host or domain name"),
        ({"hosts": [{**HOST, "host": ""}]}, "hosts[0].host", "expected `str` of length >= 1"),
        ({"hosts": [{**HOST, "valid_from": "2011-13-01"}]}, "hosts[0]", "is not an ISO 8601 time"),
        ({"hosts": [{**HOST, "valid_to": "soon"}]}, "hosts[0]", 'valid_to "soon" is not'),
        (
            {"hosts": [{**HOST, "valid_from": "2012-01-01", "valid_to": "2012-01-01T01:00:00+01:00"}]},
            "hosts[0]",
            "valid_to is not after valid_from",
        ),
        ({"hosts": {}}, "hosts", "expected `array`, got `object`"),
        ({"hosts": [HOST], "sites": []}, "sites", "length >= 1"),
        ({"hosts": [HOST], "sites": [{"name": "A", "country": "France"}]}, "sites[0].country", "matching regex"),
        ({"hosts": [HOST], "sites": [{"name": "A", "country": "UK"}]}, 'sites[0] "A"', "write GB"),
        ({"hosts": [HOST], "sites": [*SITES, {"name": "a"}]}, 'sites[2] "a"', "has the name of sites[0]"),
        ({"hosts": [HOST], "sites": [*SITES, {"name": "unknown"}]}, 'sites[2] "unknown"', "choose another name"),
        ({"domains": [{"domain": "a.fr", "sites": []}]}, "domains[0].sites", "length >= 1"),
        ({"domains": [{"domain": ".a.fr", "sites": ["A"]}]}, "domains[0]", "not a bare host or domain name"),
        ({"endpoints": [{"name": "E", "site": "A"}]}, "endpoints[0]", "missing required field `vo`"),
        ({"endpoints": [{"name": "E", "vo": "atlas"}]}, 'endpoints[0] "E"', "neither site nor host"),
        ({"endpoints": [{"name": "E", "vo": "atlas", "site": "A", "path": "/p"}]}, "endpoints[0]", "but no host"),
        ({"format": 2, "hosts": [HOST]}, "format", "invalid enum value 2"),
        ({}, "t.json", "no hosts, domains or endpoints"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(parts: dict[str, Any], where: str, what: str) -> None:
    message = refused(**parts)
    assert message.startswith("topology t.json can't be used: ")
    assert where in message
    assert what in message
    assert "\n" not in message


def test_a_file_cut_off_anywhere_is_refused() -> None:
    content = json.dumps({"sites": SITES, "hosts": [HOST]}).encode()
    for end in range(len(content)):
        assert refusal(content[:end])


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"{", "line 1 column 2"),
        (b'{"sites": [\xff]}', "byte 11 is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "expected `object`, got `array`"),
        (b"null", "expected `object`, got `null`"),
        (b'{"hosts": [], "sites": [], "hosts": []}', 'the key "hosts" stands twice'),
    ],
)
def test_what_is_not_a_topology_at_all_is_refused(content: bytes, what: str) -> None:
    assert what in refusal(content)


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("2011-11-18T12:00:00Z", NOON),
        ("2011-11-18T12:00:00", NOON),
        ("2011-11-18T13:00:00.000+01:00", NOON),
        ("2011-11-18T12:00:00.001Z", NOON + 1),
        ("2011-11-19", NOON + 12 * 3600 * 1000),
        ("1969-07-20", BEGIN_MS),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text: str, time_ms: int) -> None:
    (claim,) = read(hosts=[{**HOST, "valid_from": text}]).facts.hosts
    assert (claim.from_ms, claim.to_ms) == (time_ms, END_MS)


def test_the_last_day_of_the_calendar_means_no_end() -> None:
    (claim,) = read(hosts=[{**HOST, "valid_to": "9999-12-31T23:59:59Z"}]).facts.hosts
    assert (claim.from_ms, claim.to_ms) == (BEGIN_MS, END_MS)


def test_host_names_are_compared_without_case_and_trailing_dot() -> None:
    facts = read(hosts=[{"host": "SE.A.fr.", "site": "A"}], domains=[{"domain": "A.FR", "sites": ["B"]}]).facts
    assert [claim.name for claim in (*facts.hosts, *facts.domains)] == ["se.a.fr", "a.fr"]


@pytest.mark.parametrize("suffix", ["fr", "ac.uk", "edu.au", "edu.pl", "com.br"])
def test_a_public_suffix_is_left_out_with_a_warning(suffix: str) -> None:
    parsed = read(domains=[{"domain": suffix, "sites": ["A"]}])
    assert parsed.facts.domains == ()
    assert parsed.warnings == (f'domains[0] "{suffix}" is left out: a public suffix belongs to no site',)


@pytest.mark.parametrize("domain", ["cern.ch", "rl.ac.uk", "in2p3.fr", "gov.fermilab", "ac.example"])
def test_a_domain_of_an_organisation_is_kept(domain: str) -> None:
    assert [claim.name for claim in read(domains=[{"domain": domain, "sites": ["A"]}]).facts.domains] == [domain]


E2012 = {"valid_from": "2012-01-01T00:00:00Z"}
E2013 = {"valid_from": "2013-01-01T00:00:00Z"}
DOOR = {"name": "E", "vo": "atlas", "site": "A", "host": "se.a.fr", "path": "/p"}


@pytest.mark.parametrize(
    ("parts", "warning"),
    [
        (
            {"hosts": [HOST, {**HOST, "site": "B"}]},
            'host "se.a.fr" is at A and at B at all times: its site is ambiguous',
        ),
        (
            {"hosts": [{**HOST, **E2012}, {**HOST, "site": "B", **E2013}]},
            'host "se.a.fr" is at A and at B from 2013-01-01T00:00:00Z on: B, the later, is taken',
        ),
        (
            {"hosts": [{**HOST, **E2012, "valid_to": "2013-02-01"}, {**HOST, "site": "B", "valid_to": "2012-03-01"}]},
            'host "se.a.fr" is at A and at B from 2012-01-01T00:00:00Z to 2012-03-01T00:00:00Z: A, the later, is taken',
        ),
        ({"hosts": [HOST, {**HOST, **E2012}]}, 'host "se.a.fr" is listed twice at A from 2012-01-01T00:00:00Z on'),
        (
            {"hosts": [{**HOST, "vos": ["CMS"]}, {**HOST, "site": "B", "vos": ["atlas", "cms"]}]},
            'host "se.a.fr" is at A and at B at all times: its site is ambiguous',
        ),
        (
            {"domains": [{"domain": "a.fr", "sites": ["A"]}, {"domain": "a.fr", "sites": ["B"], **E2012}]},
            'domain "a.fr" is at A and at B from 2012-01-01T00:00:00Z on: B, the later, is taken',
        ),
        (
            {"endpoints": [DOOR, {**DOOR, "name": "e", "path": "/q", "site": "B"}]},
            'endpoint "E" of atlas is at A and at B at all times: its site is ambiguous',
        ),
        (
            {"endpoints": [DOOR, {**DOOR, "name": "F"}]},
            'endpoints "E" and "F" of atlas have the same host, path and token at all times: transfers there are '
            "ambiguous unless the message names one",
        ),
    ],
)
def test_a_contradiction_is_reported_with_what_is_made_of_it(parts: dict[str, Any], warning: str) -> None:
    assert read(**parts).warnings == (warning,)


@pytest.mark.parametrize(
    "parts",
    [
        {"hosts": [{**HOST, "valid_to": "2012-01-01"}, {**HOST, "site": "B", **E2012}]},
        {"hosts": [HOST, {**HOST, "site": "B", "vos": ["cms"]}]},
        {"hosts": [{**HOST, "vos": ["atlas"]}, {**HOST, "site": "B", "vos": ["cms"]}]},
        {"domains": [{"domain": "a.fr", "sites": ["A", "B"]}]},
        {"endpoints": [DOOR, {**DOOR, "path": "/q"}, {**DOOR, "name": "F", "token": "T"}, {**DOOR, "vo": "cms"}]},
    ],
)
def test_what_the_rules_are_made_for_is_no_contradiction(parts: dict[str, Any]) -> None:
    assert read(**parts).warnings == ()
