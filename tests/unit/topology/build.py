"""Topologies for tests: three sites, and whatever entries a test needs."""

from __future__ import annotations

import json
from typing import Any

from pipeline.topology.files import parse
from pipeline.topology.resolve import Topology

SITES = [{"name": "A", "country": "FR"}, {"name": "B", "country": "DE"}, {"name": "C", "country": "FR"}]
DAY_MS = 86_400_000
JAN_2012 = 1_325_376_000_000
NOW = JAN_2012 + 100 * DAY_MS


def topology(revision: int = 1, /, **entries: list[dict[str, Any]]) -> Topology:
    return Topology(parse(json.dumps({"sites": SITES, **entries}).encode(), "test").facts, revision)


def host(name: str, site: str, **more: Any) -> dict[str, Any]:
    return {"host": name, "site": site, **more}


def domain(name: str, *sites: str, **more: Any) -> dict[str, Any]:
    return {"domain": name, "sites": list(sites), **more}


def door(name: str, host: str = "se.a.fr", site: str | None = "A", vo: str = "atlas", **more: Any) -> dict[str, Any]:
    return {"name": name, "vo": vo, "host": host, "site": site, **more}
