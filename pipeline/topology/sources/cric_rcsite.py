"""CRIC core, ``api/core/rcsite/query/?json``: resource centres with country and tier."""

from __future__ import annotations

from typing import Any

from pipeline.topology.sources.statement import Collector, Source, Statement, mapping, text, whole


def _fits(content: Any) -> bool:
    sites = list(mapping(content).values())
    return bool(sites) and all("rc_tier_level" in mapping(site) for site in sites)


def _read(content: Any, vo: str) -> Statement:
    found = Collector()
    for name, site in mapping(content).items():
        fields = mapping(site)
        if not found.site(
            text(fields.get("name")) or name, text(fields.get("country_code")), whole(fields.get("rc_tier_level"))
        ):
            found.note("no name of a site", name)
    return found.done()


SOURCE = Source("cric-rcsite", _fits, _read)
