"""CRIC core, ``api/core/service/query/?json&type=SE``: storage services by name, or lists of them by site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.topology.sources.statement import Collector, Source, Statement, mapping, text


def _fits(content: Any) -> bool:
    services = [service for _, service in _services(content)]
    return bool(services) and all(_is_service(service) for service in services)


def _is_service(service: dict[str, Any]) -> bool:
    protocols = service.get("protocols")
    return isinstance(protocols, dict) and "rse" not in service and all(isinstance(p, dict) for p in protocols.values())


def _services(content: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each service with the site under which it is listed, "" where it is listed by its own name."""
    for name, value in mapping(content).items():
        if isinstance(value, list):
            yield from ((name, mapping(service)) for service in value)
        else:
            yield "", mapping(value)


def _read(content: Any, vo: str) -> Statement:
    found = Collector()
    for group, service in _services(content):
        site = text(service.get("rcsite")) or group
        country = text(service.get("country_code"))
        found.site(site, country)
        rank = 0 if text(service.get("state")).upper() in ("", "ACTIVE") else 1
        doors = [service, *(mapping(protocol) for protocol in mapping(service.get("protocols")).values())]
        for address in filter(None, (text(door.get("endpoint")) for door in doors)):
            found.host(address, site, rank)
    return found.done()


SOURCE = Source("cric-se", _fits, _read)
