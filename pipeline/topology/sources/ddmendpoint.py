"""ATLAS CRIC ``api/atlas/ddmendpoint/query/?json`` (an object), and its forerunner AGIS (a list): VO endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.topology.document import EndpointEntry
from pipeline.topology.paths import path_of
from pipeline.topology.sources.statement import Collector, Source, Statement, host_of, listing, mapping, text

_VO = "atlas"


def _fits(content: Any) -> bool:
    endpoints = _endpoints(content)
    return bool(endpoints) and all("token" in entry and ("type" in entry or "site" in entry) for _, entry in endpoints)


def _endpoints(content: Any) -> list[tuple[str, dict[str, Any]]]:
    if isinstance(content, list):
        return [(text(mapping(entry).get("name")), mapping(entry)) for entry in content]
    return [(text(mapping(entry).get("name")) or name, mapping(entry)) for name, entry in mapping(content).items()]


def _read(content: Any, vo: str) -> Statement:
    found = Collector()
    for name, fields in _endpoints(content):
        if not name:
            found.note("an endpoint without a name", str(fields)[:80])
            continue
        site = found.site(text(fields.get("rc_site")) or text(fields.get("rcsite")))
        rank = 0 if text(fields.get("state")).upper() in ("", "ACTIVE") else 1
        words = {"token": text(fields.get("token")), "type": text(fields.get("type"))}
        doors = sorted(set(_doors(fields)))
        for address, path in doors:
            if site:
                found.host(address, site, rank)
            found.endpoint(
                EndpointEntry(name=name, vo=vo or _VO, site=site or None, host=host_of(address), path=path, **words),
                rank,
            )
        if not doors:
            found.endpoint(EndpointEntry(name=name, vo=vo or _VO, site=site or None, type=words["type"]), rank)
    return found.done()


def _doors(fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Host and path of every protocol; the host as it is compared."""
    for listed in mapping(fields.get("aprotocols")).values():
        for address, _, prefix in (each for each in listing(listed) if isinstance(each, list) and len(each) == 3):
            yield host_of(text(address)), path_below(text(address), text(prefix))
    for listed in mapping(fields.get("arprotocols")).values():
        for each in listing(listed):
            address = text(mapping(each).get("endpoint"))
            yield host_of(address), path_below(address, text(mapping(each).get("path")))
    for address, listed in mapping(fields.get("protocols")).items():
        for each in (each for each in listing(listed) if isinstance(each, list) and len(each) == 3):
            yield host_of(address), path_below(address, text(each[2]))
    se, path = text(fields.get("se")), text(fields.get("endpoint"))
    if se and path and not fields.get("aprotocols") and not fields.get("protocols"):
        yield host_of(se), path_below(se, path)


def path_below(address: str, prefix: str) -> str:
    """The path that all files of an endpoint lie below.

    The prefix continues the URL's own path unless it repeats it. A last directory ``rucio`` is where Rucio puts its
    files; those of before lie beside it, so it is cut.
    """
    base, below = path_of(address), path_of(prefix)
    path = below if below == base or below.startswith(f"{base}/") else f"{base}{below}"
    return path.removesuffix("/rucio")


SOURCE = Source("ddmendpoint", _fits, _read)
