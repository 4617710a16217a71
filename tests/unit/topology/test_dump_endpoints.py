"""From a dump of VO endpoints to the endpoint of a SURL and space token."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.topology.compose import Dump, compose, reading
from pipeline.topology.model import NO_FACTS
from pipeline.topology.resolve import Topology
from tests.unit.topology.build import NOW

DATA = Path(__file__).resolve().parents[2] / "data" / "topology"
NAMES = ("constructed_ddmendpoint.json", "constructed_agis_ddmendpoint.json", "constructed_cric_rcsite.json")
LPNHE, EOS = "lpnse1.in2p3.fr", "srm-eosatlas.cern.ch"
SRM = f"srm://{LPNHE}:8446/srm/managerv2?SFN="
HOME = "/dpm/in2p3.fr/home/atlas"


@pytest.fixture(scope="module")
def known() -> Topology:
    readings = [reading(Dump(name, (DATA / name).read_bytes())) for name in NAMES]
    return Topology(compose(readings, None, NO_FACTS, NOW).facts, 1)


@pytest.mark.parametrize(
    ("url", "token", "endpoint"),
    [
        # Written by Rucio, and before it: its directory is no part of the prefix.
        (f"{SRM}{HOME}/atlasproddisk/rucio/mc/f", "ATLASPRODDISK", "GRIF-LPNHE_PRODDISK"),
        (f"{SRM}{HOME}/atlasproddisk/mc/f", "atlas:ATLASPRODDISK", "GRIF-LPNHE_PRODDISK"),
        (f"{SRM}{HOME}/atlasproddisk/mc/f", "PRODDISK", "GRIF-LPNHE_PRODDISK"),
        # Of sources the token is usually empty.
        (f"{SRM}{HOME}/atlasproddisk/f", "", "GRIF-LPNHE_PRODDISK"),
        (f"{SRM}{HOME}//atlasdatadisk//f", "", "GRIF-LPNHE_DATADISK"),
        (f"srm://LPNSE1.in2p3.fr{HOME}/atlasdatadisk/f", "", "GRIF-LPNHE_DATADISK"),
        (f"davs://{LPNHE}{HOME}/atlasdatadisk/f", "", "GRIF-LPNHE_DATADISK"),
        (f"{SRM}{HOME}/atlasscratchdisk/f", "", "unknown"),
        (f"{SRM}{HOME}/atlasdatadisk/f", "ATLASPRODDISK", "unknown"),
    ],
)
def test_an_endpoint_is_found_by_host_token_and_path(known: Topology, url: str, token: str, endpoint: str) -> None:
    found = known.resolve(LPNHE, "atlas", NOW, "", url, token)
    assert (found.endpoint, found.site, found.country) == (endpoint, "GRIF", "FR")


def test_the_endpoint_of_another_vo_is_none_but_the_site_is_that_of_the_host(known: Topology) -> None:
    found = known.resolve(LPNHE, "cms", NOW, "", f"{SRM}{HOME}/atlasdatadisk/f")
    assert found == ("GRIF", "FR", "unknown", "host")


def test_the_head_node_of_two_endpoints_tells_them_apart_by_path(known: Topology) -> None:
    for kind in ("data", "prod"):
        url = f"srm://{EOS}:8443/srm/v2/server?SFN=/eos/atlas/atlas{kind}disk/rucio/f"
        assert known.resolve(EOS, "atlas", NOW, "", url).endpoint == f"CERN-PROD_{kind.upper()}DISK"
