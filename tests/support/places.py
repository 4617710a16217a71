"""A topology for simulated traffic, and what it says of a host, read by the slow, plain oracle."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from tests.support.fts_messages import MINUTE, RECENT
from tests.support.oracle_windows import Site
from tests.support.topology_scan import scan_site

MOVED_MS = RECENT + 25 * MINUTE
"""In the middle of simulated traffic eosatlas.cern.ch moves from one site to another."""

_MOVED = datetime.fromtimestamp(MOVED_MS / 1000, UTC).isoformat()

PLACES: dict[str, Any] = {
    "sites": [
        {"name": "CERN-PROD", "country": "CH"},
        {"name": "CERN-WIGNER", "country": "HU"},
        {"name": "FZK-LCG2", "country": "DE"},
        {"name": "INFN-T1", "country": "IT"},
        {"name": "RAL-LCG2", "country": "GB"},
        {"name": "BNL-ATLAS", "country": "US"},
        {"name": "AGLT2", "country": "US"},
        {"name": "MWT2", "country": "US"},
    ],
    "hosts": [
        {"host": "eosatlas.cern.ch", "site": "CERN-PROD", "valid_to": _MOVED},
        {"host": "eosatlas.cern.ch", "site": "CERN-WIGNER", "valid_from": _MOVED},
        {"host": "webdav.mwt2.org", "site": "MWT2"},
    ],
    "domains": [
        {"domain": "cern.ch", "sites": ["CERN-PROD"]},
        {"domain": "gridka.de", "sites": ["FZK-LCG2"]},
        {"domain": "cnaf.infn.it", "sites": ["INFN-T1"]},
        {"domain": "gridpp.rl.ac.uk", "sites": ["RAL-LCG2"]},
        {"domain": "fnal.gov", "sites": ["AGLT2", "MWT2"]},
        {"domain": "usatlas.bnl.gov", "sites": ["BNL-ATLAS"]},
    ],
    "endpoints": [],
}


@cache
def place_of(host: str, at_ms: int) -> Site:
    """(site, country) of a host at an instant."""
    site, country, _ = scan_site(PLACES, host, "", at_ms)
    return site, country
