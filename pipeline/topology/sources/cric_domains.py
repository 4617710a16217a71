"""CRIC core, ``api/core/rcsite/query/?json&preset=domains``: domain -> resource centres with hosts in it."""

from __future__ import annotations

from typing import Any

from pipeline.topology.sources.statement import Collector, Source, Statement, listing, mapping, text


def _fits(content: Any) -> bool:
    values = list(mapping(content).values())
    return bool(values) and all(isinstance(value, list) and all(isinstance(s, str) for s in value) for value in values)


def _read(content: Any, vo: str) -> Statement:
    found = Collector()
    for domain, sites in mapping(content).items():
        found.domain(domain, [text(site) for site in listing(sites)])
    return found.done()


SOURCE = Source("cric-domains", _fits, _read)
