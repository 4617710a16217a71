"""Which VO endpoint lies behind a host, a URL and a space token."""

from __future__ import annotations

import pytest

from tests.unit.topology.build import JAN_2012, NOW, door, host, topology

SRM = "srm://se.a.fr:8446/srm/managerv2?SFN="


def test_the_endpoint_that_the_message_names_goes_before_host_token_and_path() -> None:
    known = topology(endpoints=[door("A_DATADISK", path="/data"), door("A_PRODDISK", path="/prod", site="B")])
    found = known.resolve("se.a.fr", "atlas", NOW, "A_PRODDISK", f"{SRM}/data/f", "")
    assert found == ("B", "DE", "A_PRODDISK", "message")


def test_a_named_endpoint_is_written_as_the_topology_writes_it() -> None:
    known = topology(endpoints=[{"name": "PIC_DATADISK", "vo": "Atlas", "site": "A"}])
    assert known.resolve("h", "ATLAS", NOW, "pic_datadisk") == ("A", "FR", "PIC_DATADISK", "message")


def test_a_named_endpoint_that_nobody_knows_keeps_its_name_and_takes_the_site_of_the_host() -> None:
    known = topology(hosts=[host("se.a.fr", "A")], endpoints=[door("X", vo="cms"), door("Y", valid_to="2012-01-01")])
    for name in ("NEW_DISK", "X", "Y"):
        assert known.resolve("se.a.fr", "atlas", NOW, name) == ("A", "FR", name, "message")
    assert known.resolve("elsewhere.fr", "atlas", NOW, "X") == ("unknown", "unknown", "X", "message")


def test_an_endpoint_without_a_site_takes_that_of_the_host() -> None:
    known = topology(hosts=[host("se.a.fr", "A")], endpoints=[door("E", site=None)])
    assert known.resolve("se.a.fr", "atlas", NOW) == ("A", "FR", "E", "endpoint")
    assert known.endpoint_of("", "se.a.fr", "", "", "atlas", NOW) == ("E", "unknown", "unknown", "endpoint")


@pytest.mark.parametrize("token", ["ATLASPRODDISK", "atlas:ATLASPRODDISK", "atlasproddisk", "PRODDISK"])
def test_a_space_token_is_compared_without_vo_case_and_the_word_atlas(token: str) -> None:
    known = topology(endpoints=[door("A_DATADISK", type="DATADISK"), door("A_PRODDISK", type="PRODDISK")])
    assert known.resolve("se.a.fr", "atlas", NOW, "", "", token) == ("A", "FR", "A_PRODDISK", "endpoint")


def test_a_token_that_no_entry_of_the_host_has_leaves_those_without_one() -> None:
    known = topology(endpoints=[door("WITH", token="T"), door("WITHOUT")])
    assert known.resolve("se.a.fr", "atlas", NOW, "", "", "OTHER").endpoint == "WITHOUT"
    assert topology(endpoints=[door("WITH", token="T")]).resolve("se.a.fr", "atlas", NOW, "", "", "OTHER") == (
        *("unknown", "unknown", "unknown", "unknown"),
    )


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/data/atlas/f", "ATLAS"),
        ("//data//atlas//prod//f", "PROD"),
        ("/data/atlas/production/f", "ATLAS"),
        ("/data/f", "ALL"),
        ("/DATA/atlas/f", "ALL"),
        ("", "ALL"),
    ],
)
@pytest.mark.parametrize(
    "before", ["", "srm://se.a.fr", SRM, "root://se.a.fr:1094/", "srm://se.a.fr/srm/v2/server?SFN="]
)
def test_the_longest_path_prefix_decides_whatever_stands_before_the_path(before: str, path: str, endpoint: str) -> None:
    known = topology(
        endpoints=[door("ALL"), door("ATLAS", path="/data/atlas/"), door("PROD", path="srm://se.a.fr/data//atlas/prod")]
    )
    assert known.resolve("se.a.fr", "atlas", NOW, "", f"{before}{path}", "").endpoint == endpoint


def test_a_directory_with_the_name_of_a_token_decides_between_equal_paths() -> None:
    known = topology(endpoints=[door("A_DATADISK", token="ATLASDATADISK"), door("A_PRODDISK", type="PRODDISK")])
    assert known.resolve("se.a.fr", "atlas", NOW, "", f"{SRM}/x/atlasproddisk/f", "").endpoint == "A_PRODDISK"
    assert known.resolve("se.a.fr", "atlas", NOW, "", f"{SRM}/x/DataDisk/f", "").endpoint == "A_DATADISK"


def test_a_directory_decides_between_two_entries_of_one_endpoint_as_well() -> None:
    known = topology(endpoints=[door("E"), door("E", site="B", type="PRODDISK")])
    assert known.resolve("se.a.fr", "atlas", NOW, "", f"{SRM}/x/proddisk/f", "").site == "B"


@pytest.mark.parametrize("path", ["/x/f", "/x/atlasproddisk", "/atlasproddisk/atlasdatadisk/f", "/x?y=/proddisk/"])
def test_endpoints_that_nothing_tells_apart_are_ambiguous_and_keep_the_site_of_the_host(path: str) -> None:
    known = topology(
        hosts=[host("se.a.fr", "B")],
        endpoints=[door("A_DATADISK", token="ATLASDATADISK"), door("A_PRODDISK", type="PRODDISK")],
    )
    url = f"https://se.a.fr{path}"
    assert known.resolve("se.a.fr", "atlas", NOW, "", url, "") == ("B", "DE", "unknown", "ambiguous")


def test_a_path_outside_all_endpoints_is_unknown_and_keeps_the_site_of_the_host() -> None:
    known = topology(hosts=[host("se.a.fr", "B")], endpoints=[door("E", path="/data")])
    assert known.resolve("se.a.fr", "atlas", NOW, "", f"{SRM}/other/f", "") == ("B", "DE", "unknown", "host")


def test_an_endpoint_belongs_to_its_vo_alone() -> None:
    known = topology(endpoints=[door("ATLAS_E"), door("CMS_E", vo="cms")])
    assert known.resolve("se.a.fr", "cms", NOW).endpoint == "CMS_E"
    assert known.resolve("se.a.fr", "lhcb", NOW).endpoint == "unknown"


def test_an_endpoint_that_moved_is_at_the_site_of_its_time() -> None:
    known = topology(
        endpoints=[door("E", valid_to="2012-01-01"), door("E", host="new.b.de", site="B", valid_from="2012-01-01")]
    )
    for named in ("E", ""):
        assert known.resolve("se.a.fr", "atlas", JAN_2012 - 1, named).site == "A"
        assert known.resolve("new.b.de", "atlas", JAN_2012, named).site == "B"
    assert known.resolve("se.a.fr", "atlas", JAN_2012).status == "unknown"


def test_an_endpoint_at_two_sites_at_once_takes_the_later_and_between_equals_the_site_of_the_host() -> None:
    later = topology(endpoints=[door("E"), door("E", path="/p", site="B", valid_from="2012-01-01")])
    assert later.resolve("se.a.fr", "atlas", NOW, "E").site == "B"
    equal = topology(hosts=[host("se.a.fr", "C")], endpoints=[door("E"), door("E", path="/p", site="B")])
    assert equal.resolve("se.a.fr", "atlas", NOW, "E") == ("C", "FR", "E", "message")
