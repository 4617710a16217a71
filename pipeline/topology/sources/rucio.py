"""Rucio, ``GET /rses/`` (JSON lines) and ``GET /rses/NAME``: storage elements with their protocols."""

from __future__ import annotations

from typing import Any

from pipeline.topology.document import EndpointEntry
from pipeline.topology.reading import Wrong
from pipeline.topology.sources.ddmendpoint import path_below
from pipeline.topology.sources.statement import Collector, Source, Statement, cms_site, host_of, listing, mapping, text


def _fits(content: Any) -> bool:
    elements = _elements(content)
    return bool(elements) and all("rse" in element for element in elements)


def _elements(content: Any) -> list[dict[str, Any]]:
    return [mapping(element) for element in (content if isinstance(content, list) else [content])]


def _read(content: Any, vo: str) -> Statement:
    found = Collector()
    for element in _elements(content):
        name = text(element.get("rse"))
        if not name:
            found.note("an element without a name", str(element)[:80])
            continue
        protocols = [mapping(protocol) for protocol in listing(element.get("protocols"))]
        of_vo = vo or _vo(name, element, protocols)
        if not of_vo:
            raise Wrong(f'it does not say whose "{name}" is: name the VO with --vo')
        attributes = mapping(element.get("attributes")) or element
        site = found.site(
            text(attributes.get("rc_site")) or text(attributes.get("rcsite")) or text(attributes.get("site")),
            text(element.get("country_code")),
        )
        doors = set()
        for protocol in protocols:
            host = host_of(text(protocol.get("hostname")))
            more = mapping(protocol.get("extended_attributes"))
            doors.add((host, path_below("", text(protocol.get("prefix"))), text(more.get("space_token"))))
        for host, path, token in sorted(doors):
            if site:
                found.host(host, site)
            found.endpoint(EndpointEntry(name=name, vo=of_vo, site=site or None, host=host, path=path, token=token))
        if not doors and site:
            found.endpoint(EndpointEntry(name=name, vo=of_vo, site=site))
        elif not doors:
            found.note("an element without protocols and site", name)
    return found.done()


def _vo(name: str, element: dict[str, Any], protocols: list[dict[str, Any]]) -> str:
    named = text(element.get("vo"))
    if named and named != "def":
        return named.lower()
    if cms_site(name):
        return "cms"
    tokens = [text(mapping(protocol.get("extended_attributes")).get("space_token")) for protocol in protocols]
    return "atlas" if any(token.upper().startswith("ATLAS") for token in tokens) else ""


SOURCE = Source("rucio", _fits, _read)
