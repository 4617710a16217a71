"""CMS PhEDEx ``nodes``: storage element -> CMS node. Its sites are known by their CMS name only."""

from __future__ import annotations

import re
from typing import Any

from pipeline.topology.document import EndpointEntry
from pipeline.topology.sources.statement import Collector, Source, Statement, cms_site, host_of, listing, mapping, text

_KIND = re.compile(r"_(?:Disk|Tape|MSS|Buffer|Export|Temp|Test)$")


def _fits(content: Any) -> bool:
    return bool(_nodes(content)) and all("se" in mapping(node) for node in _nodes(content))


def _nodes(content: Any) -> list[Any]:
    return listing(mapping(mapping(content).get("phedex")).get("node"))


def _read(content: Any, vo: str) -> Statement:
    found = Collector()
    nodes: dict[tuple[str, str], list[str]] = {}
    for node in map(mapping, _nodes(content)):
        name = text(node.get("name"))
        nodes.setdefault((host_of(text(node.get("se"))), _KIND.sub("", name)), []).append(name)
    for (host, site), names in nodes.items():
        country, tier = cms_site(site) or ("", None)
        found.host(host, found.site(site, country, tier, {"cms": [site]}))
        # Disk buffer and tape of one site behind one host: nothing in a message tells them apart.
        name = names[0] if len(names) == 1 else site
        found.endpoint(EndpointEntry(name=name, vo="cms", host=host))
    return found.done()


SOURCE = Source("phedex", _fits, _read)
