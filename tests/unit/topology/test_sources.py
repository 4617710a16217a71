"""Dumps of every format: recognised by content, read into what they state, refused with what is wrong."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.topology.model import TopologyError
from pipeline.topology.reading import Wrong, xml_root
from pipeline.topology.sources.formats import FORMATS, read
from pipeline.topology.sources.statement import Statement

DATA = Path(__file__).resolve().parents[2] / "data" / "topology"
FILES = {
    "constructed_agis_ddmendpoint.json": "ddmendpoint",
    "constructed_cric_rcsite.json": "cric-rcsite",
    "constructed_cric_se_by_site.json": "cric-se",
    "constructed_ddmendpoint.json": "ddmendpoint",
    "constructed_gocdb_service_endpoint.xml": "gocdb",
    "constructed_osg_rgsummary.xml": "osg",
    "constructed_rucio_rses.jsonl": "rucio",
    "cric_domains_subset.json": "cric-domains",
    "cric_se_subset.json": "cric-se",
    "osg_topology_se_hosts.json": "osg",
    "phedex_nodes_subset.json": "phedex",
    "scitags_subset.json": "scitags",
}


def said(name: str, form: str = "", vo: str = "") -> Statement:
    return read((DATA / name).read_bytes(), name, form, vo)[1]


def placed(statement: Statement) -> dict[str, list[str]]:
    hosts: dict[str, list[str]] = {}
    for entry in statement.hosts:
        hosts.setdefault(entry.host, []).append(entry.site)
    return hosts


def doors(statement: Statement) -> set[tuple[str, str, str | None, str, str]]:
    return {(each.name, each.vo, each.site, each.host, each.path) for each in statement.endpoints}


def refusal(content: bytes, form: str = "") -> str:
    with pytest.raises(TopologyError) as caught:
        read(content, "dump", form)
    return str(caught.value)


def test_every_dump_is_listed_here() -> None:
    assert {path.name for path in DATA.iterdir()} - {"ORIGIN.md"} == set(FILES)


@pytest.mark.parametrize(("name", "form"), FILES.items())
def test_a_dump_is_recognised_by_its_content_and_by_one_format_alone(name: str, form: str) -> None:
    content = (DATA / name).read_bytes()
    assert read(content, name)[0] == form
    root = xml_root(content) if name.endswith("xml") else None
    value = root if root is not None else _json(content)
    assert [source.name for source in FORMATS.values() if source.fits(value)] == [form]


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError:
        return [json.loads(line) for line in content.splitlines()]


def test_our_own_example_is_recognised() -> None:
    example = Path(__file__).resolve().parents[3] / "deploy" / "topology.example.json"
    form, statement = read(example.read_bytes(), "example")
    assert (form, statement.dated) == ("transferscope", True)
    assert len(statement.hosts) > 100


def test_cric_services_give_the_hosts_of_all_their_doors() -> None:
    hosts = placed(said("cric_se_subset.json"))
    assert len(hosts) == 31
    assert hosts["castoralice.cern.ch"] == ["CERN-PROD"]
    assert hosts["storm02.clumeq.mcgill.ca"] == ["CA-MCGILL-CLUMEQ-T2"]
    assert hosts["data-bridge.cern.ch"] == ["BOINC", "CERN-PROD"]


def test_cric_services_by_site_and_what_is_disabled_gives_way() -> None:
    assert placed(said("constructed_cric_se_by_site.json")) == {
        "lpnse1.in2p3.fr": ["GRIF"],
        "node12.datagrid.cea.fr": ["GRIF"],
        "xrootd.echo.stfc.ac.uk": ["RAL-LCG2"],
    }


def test_cric_sites_have_iso_country_and_tier() -> None:
    sites = {site.name: (site.country, site.tier) for site in said("constructed_cric_rcsite.json").sites}
    assert sites == {"GRIF": ("FR", 2), "RAL-LCG2": ("GB", 1), "CERN-PROD": ("CH", 0)}


def test_public_suffixes_and_reserved_names_are_left_out_of_domains_and_told() -> None:
    statement = said("cric_domains_subset.json")
    domains = {entry.domain: entry.sites for entry in statement.domains}
    assert domains["pp.rl.ac.uk"] == ["UKI-SOUTHGRID-RALPP"]
    assert domains["desy.de"] == ["DESY-HH", "DESY-ZN"]
    assert not {"ac.uk", "example.com"} & domains.keys()
    assert "ac.uk" in statement.notes[0]


def test_ddmendpoints_have_a_door_for_each_host_and_path_without_the_directory_rucio() -> None:
    statement = said("constructed_ddmendpoint.json")
    base = "/dpm/in2p3.fr/home/atlas"
    assert doors(statement) == {
        ("GRIF-LPNHE_PRODDISK", "atlas", "GRIF", "lpnse1.in2p3.fr", f"{base}/atlasproddisk"),
        ("GRIF-LPNHE_DATADISK", "atlas", "GRIF", "lpnse1.in2p3.fr", f"{base}/atlasdatadisk"),
        ("BNL-OSG2_ES", "atlas", "BNL-ATLAS", "cephgw.usatlas.bnl.gov", "/atlas_eventservice"),
    }
    assert {(each.token, each.type) for each in statement.endpoints if "PROD" in each.name} == {
        ("ATLASPRODDISK", "PRODDISK")
    }
    assert placed(statement)["lpnse1.in2p3.fr"] == ["GRIF"]


def test_the_agis_list_says_the_same_in_another_shape() -> None:
    assert doors(said("constructed_agis_ddmendpoint.json")) == {
        ("CERN-PROD_DATADISK", "atlas", "CERN-PROD", "srm-eosatlas.cern.ch", "/eos/atlas/atlasdatadisk"),
        ("CERN-PROD_DATADISK", "atlas", "CERN-PROD", "eosatlas.cern.ch", "/eos/atlas/atlasdatadisk"),
        ("CERN-PROD_PRODDISK", "atlas", "CERN-PROD", "srm-eosatlas.cern.ch", "/eos/atlas/atlasproddisk"),
    }


def test_gocdb_places_a_host_at_the_site_whose_storage_it_is() -> None:
    statement = said("constructed_gocdb_service_endpoint.xml")
    assert placed(statement) == {
        "lpnse1.in2p3.fr": ["GRIF"],
        "lpndav.in2p3.fr": ["GRIF"],
        "srm-cms.gridpp.rl.ac.uk": ["RAL-LCG2"],
    }
    assert {site.name: site.country for site in statement.sites} == {"GRIF": "FR", "IN2P3-CC": "FR", "RAL-LCG2": "GB"}


def test_osg_xml_places_names_and_aliases_and_active_resources_go_first() -> None:
    statement = said("constructed_osg_rgsummary.xml")
    assert placed(statement) == {
        "dcache07.unl.edu": ["Nebraska"],
        "srm.unl.edu": ["Nebraska"],
        "old.unl.edu": ["Old-Group"],
    }
    (nebraska,) = (site for site in statement.sites if site.name == "Nebraska")
    assert (nebraska.country, nebraska.tier, nebraska.names) == ("US", 2, {"cms": ["T2_US_Nebraska"]})


def test_osg_json_places_every_host_at_its_resource_group() -> None:
    hosts = placed(said("osg_topology_se_hosts.json"))
    assert len(hosts) == 141
    assert hosts["atlas-ce.bu.edu"] == ["BU_ATLAS_Tier2"]


def test_rucio_elements_are_endpoints_of_the_vo_that_they_tell() -> None:
    assert doors(said("constructed_rucio_rses.jsonl")) == {
        ("T2_CH_CERN", "cms", "CERN-PROD", "eoscms.cern.ch", "/eos/cms"),
        ("GRIF-LAL_DATADISK", "atlas", "GRIF", "grid05.lal.in2p3.fr", "/dpm/lal.in2p3.fr/home/atlas/atlasdatadisk"),
        ("PIC_SCRATCHDISK", "atlas", None, "srmatlas.pic.es", "/pnfs/pic.es/data/atlas/atlasscratchdisk"),
    }


def test_rucio_elements_that_tell_no_vo_need_it_named() -> None:
    content = b'[{"rse": "DUNE_US", "protocols": [{"hostname": "fndca1.fnal.gov", "prefix": "/pnfs/dune"}]}]'
    assert "--vo" in refusal(content)
    assert read(content, "dump", vo="dune")[1].endpoints[0].vo == "dune"


def test_phedex_nodes_of_one_site_behind_one_host_are_one_endpoint() -> None:
    statement = said("phedex_nodes_subset.json")
    assert ("T1_US_FNAL", "cms", None, "cmssrm.fnal.gov", "") in doors(statement)
    assert ("T1_UK_RAL_Disk", "cms", None, "srm-cms-disk.gridpp.rl.ac.uk", "") in doors(statement)
    (ral,) = (site for site in statement.sites if site.name == "T1_UK_RAL")
    assert (ral.country, ral.tier) == ("GB", 1)


def test_scitags_number_experiments_and_activities() -> None:
    numbers = {entry.vo: (entry.id, entry.activities) for entry in said("scitags_subset.json").experiments}
    assert numbers["atlas"][0] == 2
    assert numbers["atlas"][1]["Analysis Input"] == 17
    assert "default" not in numbers


def test_a_format_can_be_forced() -> None:
    content = json.dumps({"SE": {"rcsite": "A", "endpoint": "srm://se.a.fr:8443"}}).encode()
    assert "--as" in refusal(content)
    assert placed(read(content, "dump", "cric-se")[1]) == {"se.a.fr": ["A"]}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b'{"A": {"protocols": {', "not complete JSON"),
        (b"<results><SERVICE_ENDPOINT>", "not complete XML"),
        (b"<html><body>502 Bad Gateway</body></html>", "web page"),
        (b"{}", "none of the formats"),
        (b"[]", "none of the formats"),
        (b'{"detail": "Authentication failed"}', "none of the formats"),
        (b"<results/>", "no records"),
        (b"[" * 100_000, "nested too deeply"),
        (b"<a>" * 200, "nested too deeply"),
        (b'<!DOCTYPE r [<!ENTITY a "aa">]><results>&a;</results>', "document type"),
        (b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><results/>', "document type"),
        (b'{"SE": {"protocols": {"p": {"endpoint": "srm://:8443"}}, "rcsite": "A"}}', "cannot be used"),
        (b'{"SE": {"protocols": {"p": {"endpoint": "srm://h.a.fr"}}, "rcsite": "unknown"}}', "cannot be used"),
    ],
)
def test_what_is_broken_is_refused_with_what_is_wrong(content: bytes, what: str) -> None:
    text = refusal(content)
    assert text.startswith("topology dump can't be used: ")
    assert what in text


def test_a_billion_laughs_are_not_even_begun() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    with pytest.raises(Wrong, match="document type"):
        xml_root(f'<!DOCTYPE r [<!ENTITY e0 "ha">{entities}]><r>&e9;</r>'.encode())


@pytest.mark.parametrize("form", sorted(set(FORMATS) - {"transferscope"}))
@pytest.mark.parametrize("name", FILES)
def test_a_dump_read_as_anything_else_is_read_or_refused_but_never_a_bug(name: str, form: str) -> None:
    with suppress(TopologyError):
        assert said(name, form, "cms").sites or form == "scitags"


def test_a_few_bad_records_are_left_out_and_told_with_an_example() -> None:
    services = {f"SE{n}": {"rcsite": "A", "protocols": {"p": {"endpoint": f"srm://se{n}.a.fr"}}} for n in range(5)}
    services["BAD"] = {"rcsite": "A", "protocols": {"p": {"endpoint": "srm://not a host/"}}}
    statement = read(json.dumps(services).encode(), "dump")[1]
    assert len(statement.hosts) == 5
    assert statement.notes == ('"srm://not a host/" left out: no name of a host',)


def test_a_wildcard_host_is_a_domain() -> None:
    content = json.dumps({"SE": {"rcsite": "A", "protocols": {"p": {"endpoint": "root://*.a.fr:1094"}}}}).encode()
    statement = read(content, "dump")[1]
    assert (statement.hosts, statement.domains[0].domain) == ((), "a.fr")
