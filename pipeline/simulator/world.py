"""The world that the simulated traffic runs in: storage hosts, the links between them, and who moves data there.

Most hosts are real ones of the WLCG's public catalogues (CRIC, OSG topology), some are known only by their domain, and
two are in no catalogue. How much each link is used follows a Zipf law, as in reality: a few links carry most files.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, permutations
from random import Random
from typing import NamedTuple

ZIPF_EXPONENT = 1.1


class Host(NamedTuple):
    """A storage host: ``label`` names it in channels and endpoints, ``scheme`` is how FTS talks to it."""

    name: str
    label: str
    scheme: str = "davs"
    tape: bool = False

    @property
    def port(self) -> int:
        return {"davs": 443, "srm": 8443, "root": 1094, "gsiftp": 2811}[self.scheme]


class Link(NamedTuple):
    """An ordered pair of hosts that a VO moves data over, and the FTS instances that do it, the usual one first."""

    vo: str
    src: Host
    dst: Host
    instances: tuple[str, ...]


class World(NamedTuple):
    """All links, with the running totals of their weights."""

    links: tuple[Link, ...]
    cumulative: tuple[float, ...]

    def pick(self, rng: Random) -> Link:
        """A link, the popular ones more often."""
        return rng.choices(self.links, cum_weights=self.cumulative)[0]


class _Vo(NamedTuple):
    share: float
    instance: str
    hosts: tuple[Host, ...]


ACTIVITIES: dict[str, tuple[str, ...]] = {
    "atlas": (
        "Production Output",
        "Data Consolidation",
        "Data Brokering",
        "User Subscriptions",
        "T0 Export",
        "Staging",
    ),
    "cms": ("Production Output", "Data Rebalancing", "User Subscriptions", "T0 Export", "T0 Tape", "Analysis Input"),
    "lhcb": ("default",),
    "alice": ("default",),
}

_UK_INSTANCE = "lcgfts3.gridpp.rl.ac.uk"

_VOS: dict[str, _Vo] = {
    "atlas": _Vo(
        0.50,
        "fts3-atlas.cern.ch",
        (
            Host("eosatlas.cern.ch", "CERN-PROD"),
            Host("eosctaatlas.cern.ch", "CERN-PROD_CTA", tape=True),
            Host("dcgftp.usatlas.bnl.gov", "BNL-OSG2"),
            Host("dcsrm.usatlas.bnl.gov", "BNL-OSG2_SRM", "srm", tape=True),
            Host("webdav.aglt2.org", "AGLT2"),
            Host("webdav.mwt2.org", "MWT2"),
            Host("webdav.data.net2.mghpcc.org", "NET2"),
            Host("gridftp.atlas-swt2.org", "SWT2_CPB"),
            Host("se1.oscer.ou.edu", "OU_OSCER_ATLAS", "root"),
            Host("dcache-se-atlas.desy.de", "DESY-HH", "srm"),
            Host("eos01.grid.cyfronet.pl", "CYFRONET-LCG2"),
            Host("lcg-door4.scinet.utoronto.ca", "CA-SCINET-T2"),
            Host("xrootd-redirector.atlas.unimelb.edu.au", "AUSTRALIA-ATLAS"),
            Host("storm-fe.cr.cnaf.infn.it", "INFN-T1", "srm"),
            Host("grid002.ft.uam.es", "UAM-LCG2", "srm"),
            Host("webdav01.lcg.triumf.ca", "TRIUMF-LCG2"),
            Host("storage.unlisted-tier3.example", "UNLISTED-T3"),
        ),
    ),
    "cms": _Vo(
        0.35,
        "fts3-cms.cern.ch",
        (
            Host("eoscms.cern.ch", "T2_CH_CERN"),
            Host("srm-cms.cern.ch", "T0_CH_CERN_Tape", "srm", tape=True),
            Host("cmsdcadisk.fnal.gov", "T1_US_FNAL_Disk"),
            Host("cmsdcatape.fnal.gov", "T1_US_FNAL_Tape", "srm", tape=True),
            Host("cmssrm-fzk.gridka.de", "T1_DE_KIT_Disk", "srm"),
            Host("storm-fe-cms.cr.cnaf.infn.it", "T1_IT_CNAF_Disk", "srm"),
            Host("srm-cms.gridpp.rl.ac.uk", "T1_UK_RAL_Tape", "srm", tape=True),
            Host("dcache-cms-webdav.desy.de", "T2_DE_DESY"),
            Host("transfer.ultralight.org", "T2_US_Caltech", "gsiftp"),
            Host("cmsio2.rc.ufl.edu", "T2_US_Florida"),
            Host("cmssrm.hep.wisc.edu", "T2_US_Wisconsin"),
            Host("redir.t2.ucsd.edu", "T2_US_UCSD"),
            Host("eos.cms.rcac.purdue.edu", "T2_US_Purdue"),
            Host("se01.cmsaf.mit.edu", "T2_US_MIT", "gsiftp"),
            Host("xrootd-vanderbilt.sites.opensciencegrid.org", "T2_US_Vanderbilt"),
            Host("osg-se.sprace.org.br", "T2_BR_SPRACE"),
            Host("cms-se.sdfarm.kr", "T3_KR_KISTI", "root"),
            Host("dtn.unlisted-campus.example", "T3_XX_Unlisted"),
        ),
    ),
    "lhcb": _Vo(
        0.10,
        "fts3-lhcb.cern.ch",
        (
            Host("eoslhcb.cern.ch", "CERN-DST"),
            Host("srm-lhcb.gridpp.rl.ac.uk", "RAL-DST", "srm"),
            Host("lhcbsrm-kit.gridka.de", "GRIDKA-DST", "srm"),
            Host("storm-fe-lhcb.cr.cnaf.infn.it", "CNAF-DST", "srm"),
            Host("webdav.pic.es", "PIC-DST"),
            Host("se.jinr-t1.ru", "JINR-DST"),
        ),
    ),
    "alice": _Vo(
        0.05,
        "fts3.cern.ch",
        (
            Host("eosalice.cern.ch", "ALICE::CERN::EOS", "root"),
            Host("castoralice.cern.ch", "ALICE::CERN::CTA", "root", tape=True),
            Host("alice-se.gsi.de", "ALICE::GSI::SE", "root"),
        ),
    ),
}


def hosts() -> dict[str, tuple[Host, ...]]:
    """The hosts of each VO."""
    return {name: vo.hosts for name, vo in _VOS.items()}


def make_world(rng: Random, least_links: int = 0) -> World:
    """Every ordered pair of a VO's hosts as a link; which of them are the popular ones is the seed's choice.

    Where ``least_links`` asks for more links than the hosts have pairs, each VO gets made-up hosts besides.
    """
    links: list[Link] = []
    weights: list[float] = []
    for vo, (share, instance, hosts) in _VOS.items():
        pairs = list(permutations((*hosts, *_more_hosts(vo, len(hosts), share * least_links)), 2))
        rng.shuffle(pairs)
        zipf = [rank**-ZIPF_EXPONENT for rank in range(1, len(pairs) + 1)]
        links += [Link(vo, src, dst, _instances(instance, dst)) for src, dst in pairs]
        weights += [share * weight / sum(zipf) for weight in zipf]
    return World(tuple(links), tuple(accumulate(weights)))


def _more_hosts(vo: str, there_are: int, least_links: float) -> Iterator[Host]:
    """Hosts that lack for so many links, a link for each ordered pair."""
    number = there_are
    while number * (number - 1) < least_links:
        number += 1
        yield Host(f"se{number}.{vo}.example", f"{vo.upper()}-SE{number}")


def _instances(usual: str, dst: Host) -> tuple[str, ...]:
    """Data for the UK is moved by the UK's own FTS; any VO may fall back on CERN's public one."""
    return (_UK_INSTANCE, usual) if dst.name.endswith(".rl.ac.uk") else (usual, "fts3.cern.ch")
