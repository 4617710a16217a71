"""Where the simulated hosts stand: a topology for the store, and what it says of VO endpoints.

Sites and countries are those of the public catalogues. Two hosts stand nowhere and some only by their domain, as batch
nodes and caches do; ATLAS and CMS have endpoints behind hosts of their own, which messages often name themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.simulator.naming import endpoint_of as endpoint_name
from pipeline.simulator.world import Host, hosts

UNKNOWN = "unknown"
EndpointOf = Callable[[str, str], str]
"""(VO, host) -> the VO endpoint there, if no message names it; ``unknown`` if there is none."""

_SITES: dict[str, tuple[str, tuple[str, ...]]] = {
    "AGLT2": ("US", ("aglt2.org",)),
    "Australia-ATLAS": ("AU", ("unimelb.edu.au",)),
    "BNL-ATLAS": ("US", ("bnl.gov",)),
    "CA-SCINET-T2": ("CA", ("scinet.utoronto.ca",)),
    "CERN-PROD": ("CH", ("cern.ch",)),
    "CIT_CMS_T2": ("US", ("ultralight.org",)),
    "CYFRONET-LCG2": ("PL", ("cyfronet.pl",)),
    "DESY-HH": ("DE", ("desy.de",)),
    "FZK-LCG2": ("DE", ("gridka.de",)),
    "GLOW": ("US", ("wisc.edu",)),
    "GSI-LCG2": ("DE", ("gsi.de",)),
    "INFN-T1": ("IT", ("cr.cnaf.infn.it",)),
    "JINR-T1": ("RU", ("jinr-t1.ru",)),
    "MIT_CMS": ("US", ("cmsaf.mit.edu",)),
    "MWT2": ("US", ("mwt2.org",)),
    "NET2": ("US", ("net2.mghpcc.org",)),
    "OU_OSCER_ATLAS": ("US", ("oscer.ou.edu",)),
    "Purdue": ("US", ("rcac.purdue.edu",)),
    "RAL-LCG2": ("GB", ("gridpp.rl.ac.uk",)),
    "SPRACE": ("BR", ("sprace.org.br",)),
    "SWT2_CPB": ("US", ("atlas-swt2.org",)),
    "T3_KR_KISTI": ("KR", ("sdfarm.kr",)),
    "TRIUMF-LCG2": ("CA", ("triumf.ca",)),
    "UAM-LCG2": ("ES", ("ft.uam.es",)),
    "UCSDT2": ("US", ("t2.ucsd.edu",)),
    "UFlorida-HPC": ("US", ("rc.ufl.edu",)),
    "USCMS-FNAL-WC1": ("US", ("fnal.gov",)),
    "Vanderbilt": ("US", ("xrootd-vanderbilt.sites.opensciencegrid.org",)),
    "pic": ("ES", ("pic.es",)),
}
"""Country and domains of each site."""

_VOS_WITH_ENDPOINTS = ("atlas", "cms")


def named_alone(vo: str, host: str) -> str:
    """What a store without a topology knows of the endpoint of a host: nothing."""
    return UNKNOWN


def endpoint_of(vo: str, host: str) -> str:
    """What the simulator's own topology says of the endpoint of a host."""
    return _ENDPOINTS.get((vo, host), UNKNOWN)


def topology() -> dict[str, Any]:
    """The topology of the simulated world, in the format of ``schemas/topology.schema.json``."""
    known = [(host, site) for host in sorted(_HOSTS) if (site := _site_of(host))]
    return {
        "format": 1,
        "origin": "the simulated world",
        "sites": [{"name": name, "country": country} for name, (country, _) in _SITES.items()],
        # Every second host stands under its own name, the others are found by their domain.
        "hosts": [{"host": host, "site": site} for host, site in known[::2]],
        "domains": [{"domain": domain, "sites": [site]} for site, (_, domains) in _SITES.items() for domain in domains],
        "endpoints": [
            {"name": name, "vo": vo, "host": host} | ({"site": site} if (site := _site_of(host)) else {})
            for (vo, host), name in sorted(_ENDPOINTS.items())
        ],
    }


def _site_of(host: str) -> str | None:
    return next(
        (site for site, (_, ends) in _SITES.items() if any(f".{host}".endswith(f".{end}") for end in ends)), None
    )


def _has_endpoint(host: Host) -> bool:
    return _site_of(host.name) is not None and not host.tape


_HOSTS = {host.name for vo_hosts in hosts().values() for host in vo_hosts}
_ENDPOINTS = {
    (vo, host.name): endpoint_name(host, vo)
    for vo in _VOS_WITH_ENDPOINTS
    for host in hosts()[vo]
    if _has_endpoint(host)
}
