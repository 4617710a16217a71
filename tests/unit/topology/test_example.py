"""The example topology: it loads without a complaint and falls into none of the traps of real host names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.topology.document import json_schema
from pipeline.topology.files import Parsed, parse
from pipeline.topology.resolve import Topology

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "deploy" / "topology.example.json"
IN_2011 = 1_321_612_309_000
IN_2017 = 1_493_217_344_240


@pytest.fixture(scope="module")
def parsed() -> Parsed:
    return parse(EXAMPLE.read_bytes(), str(EXAMPLE))


@pytest.fixture(scope="module")
def topology(parsed: Parsed) -> Topology:
    return Topology(parsed.facts, 1)


def test_the_example_loads_without_a_warning(parsed: Parsed) -> None:
    assert parsed.warnings == ()
    assert all(parsed.facts)


def test_the_committed_schema_is_the_one_that_files_are_read_by() -> None:
    assert json.loads((ROOT / "schemas" / "topology.schema.json").read_text()) == json_schema()


@pytest.mark.parametrize(
    ("host", "site", "country", "status"),
    [
        ("srm-cms.cern.ch", "CERN-PROD", "CH", "host"),
        ("lxbra1910.cern.ch", "CERN-PROD", "CH", "domain"),
        ("srm-cms.gridpp.rl.ac.uk", "RAL-LCG2", "GB", "host"),
        ("ccsrm.in2p3.fr", "IN2P3-CC", "FR", "domain"),
        ("lpnse1.in2p3.fr", "GRIF", "FR", "host"),
        ("marsedpm.in2p3.fr", "IN2P3-CPPM", "FR", "host"),
        ("lapp-se01.in2p3.fr", "IN2P3-LAPP", "FR", "host"),
        ("lpsc-se-dpm-server.in2p3.fr", "IN2P3-LPSC", "FR", "host"),
        ("grid11.lal.in2p3.fr", "GRIF", "FR", "domain"),
        ("mover.pp.rl.ac.uk", "UKI-SOUTHGRID-RALPP", "GB", "domain"),
        ("mover.rl.ac.uk", "RAL-LCG2", "GB", "domain"),
        ("echo.stfc.ac.uk", "RAL-LCG2", "GB", "domain"),
        ("se.some.ac.uk", "unknown", "unknown", "unknown"),
        ("dcache-se-cms.desy.de", "DESY-HH", "DE", "host"),
        ("pool7.desy.de", "unknown", "DE", "ambiguous"),
        ("osgsrm01.slac.stanford.edu", "WT2", "US", "host"),
        ("new.slac.stanford.edu", "WT2", "US", "domain"),
        ("xrootd-at1.pic.es", "pic", "ES", "host"),
        ("xrootd-at2.pic.es", "ifae", "ES", "host"),
        ("pool.mghpcc.org", "unknown", "US", "ambiguous"),
        ("se.ndgf.org", "NDGF-T1", "unknown", "domain"),
        ("host.example.com", "unknown", "unknown", "unknown"),
        ("unknown", "unknown", "unknown", "unknown"),
    ],
)
def test_a_host_is_placed_as_people_who_know_it_would(
    topology: Topology, host: str, site: str, country: str, status: str
) -> None:
    assert topology.site_of(host, "atlas", IN_2011) == (site, country, status)


def test_one_domain_can_mean_another_site_to_another_vo(topology: Topology) -> None:
    assert topology.site_of("se.cmsaf.mit.edu", "lhcb", IN_2011).site == "MIT_LHCb"
    assert topology.site_of("se.cmsaf.mit.edu", "cms", IN_2011).site == "MIT_CMS"


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [
        ("node12.datagrid.cea.fr", "GRIF-IRFU_PRODDISK"),
        ("grid05.lal.in2p3.fr", "GRIF-LAL_PRODDISK"),
        ("lpnse1.in2p3.fr", "GRIF-LPNHE_PRODDISK"),
    ],
)
def test_host_and_space_token_tell_the_three_vo_sites_of_one_resource_centre_apart(
    topology: Topology, host: str, endpoint: str
) -> None:
    lal = "srm://grid05.lal.in2p3.fr:8446/srm/managerv2?SFN=/dpm/lal.in2p3.fr/home/atlas/atlasproddisk/mc11/f"
    found = topology.resolve(host, "atlas", IN_2011, "", lal, "ATLASPRODDISK")
    assert found == ("GRIF", "FR", endpoint, "endpoint")


def test_a_source_without_a_token_is_found_by_its_path(topology: Topology) -> None:
    url = "srm://head01.aglt2.org:8443/srm/managerv2?SFN=/pnfs/aglt2.org/atlasproddisk/mc08/EVNT/f"
    found = topology.resolve("head01.aglt2.org", "atlas", IN_2011, "", url, "")
    assert found == ("AGLT2", "US", "AGLT2_PRODDISK", "endpoint")


def test_an_endpoint_is_not_found_after_it_was_given_up(topology: Topology) -> None:
    url = "srm://head01.aglt2.org:8443/srm/managerv2?SFN=/pnfs/aglt2.org/atlasproddisk/mc08/EVNT/f"
    found = topology.resolve("head01.aglt2.org", "atlas", IN_2017, "", url, "")
    assert found == ("AGLT2", "US", "unknown", "host")


def test_the_rucio_message_of_2017_names_both_of_its_endpoints(topology: Topology) -> None:
    source = topology.resolve("storm-fe.cr.cnaf.infn.it", "atlas", IN_2017, "INFN-T1_DATADISK", "", "")
    assert source == ("INFN-T1", "IT", "INFN-T1_DATADISK", "message")
    target = topology.resolve("grid002.ft.uam.es", "atlas", IN_2017, "UAM-LCG2_DATADISK", "", "ATLASDATADISK")
    assert target == ("UAM-LCG2", "ES", "UAM-LCG2_DATADISK", "message")


def test_the_same_endpoint_is_found_by_host_and_path_when_the_message_does_not_name_it(topology: Topology) -> None:
    url = (
        "srm://storm-fe.cr.cnaf.infn.it:8444/srm/managerv2?SFN=/atlas/atlasdatadisk/rucio/mc15_13TeV/60/36/"
        "EVNT.11173001._023578.pool.root.1"
    )
    found = topology.resolve("storm-fe.cr.cnaf.infn.it", "atlas", IN_2017, "", url, "")
    assert found == ("INFN-T1", "IT", "INFN-T1_DATADISK", "endpoint")


def test_names_of_endpoints_and_sites_that_differ_in_case_meet(topology: Topology) -> None:
    found = topology.resolve("door.farm.particle.cz", "atlas", IN_2017, "praguelcg2_datadisk", "", "")
    assert found == ("praguelcg2", "CZ", "PRAGUELCG2_DATADISK", "message")
