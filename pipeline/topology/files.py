"""Reads a topology file: what cannot be right is refused in one sentence, what contradicts itself is reported."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from pipeline.topology.conflicts import conflicts
from pipeline.topology.document import Document, DomainEntry, EndpointEntry, HostEntry, SiteEntry
from pipeline.topology.model import BEGIN_MS, END_MS, UNKNOWN, Claim, Door, Facts, Site, TopologyError
from pipeline.topology.paths import path_of, token_word
from pipeline.topology.public_suffix import is_public_suffix
from pipeline.topology.reading import Wrong, is_host, json_value, lower_first, time_ms

NOT_ISO = {"UK": "GB", "EL": "GR"}
"""Codes in common use that are not the country's ISO 3166 alpha-2 code."""

_Entry = HostEntry | DomainEntry | EndpointEntry


class Parsed(NamedTuple):
    """A usable topology and one sentence for each thing in it that somebody should look at."""

    facts: Facts
    warnings: tuple[str, ...]


def parse(content: bytes, where: str) -> Parsed:
    """Read a topology file (README.md, JSON).

    ``where`` is what the user calls it, a file name or address, for the sentences. Raises TopologyError when it is
    not JSON, not of the format, empty, or contradicts itself in a way that no rule can settle.
    """
    try:
        return _facts(msgspec.convert(json_value(content), Document))
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at ")
        place = path.strip("`").removeprefix("$").removeprefix(".") or "the top level"
        raise TopologyError(f"topology {where} can't be used: at {place}: {lower_first(problem)}") from error
    except Wrong as error:
        raise TopologyError(f"topology {where} can't be used: {error}") from error


def _facts(document: Document) -> Parsed:
    if not (document.hosts or document.domains or document.endpoints):
        raise Wrong("it has no hosts, domains or endpoints, so every transfer would become unknown")
    reader = _Reader(document.sites)
    hosts = [reader.host(f"hosts[{at}]", entry) for at, entry in enumerate(document.hosts)]
    domains = [claim for at, entry in enumerate(document.domains) for claim in reader.domain(f"domains[{at}]", entry)]
    doors = [reader.door(f"endpoints[{at}]", entry) for at, entry in enumerate(document.endpoints)]
    facts = Facts(tuple(reader.sites.values()), tuple(hosts), tuple(domains), tuple(doors))
    return Parsed(facts, (*reader.warnings, *conflicts(facts)))


class _Reader:
    """Turns entries into facts; knows the sites, and collects what is left out on the way."""

    def __init__(self, entries: Iterable[SiteEntry]) -> None:
        self.sites: dict[str, Site] = {}
        self.warnings: list[str] = []
        spelled: dict[str, int] = {}
        for at, entry in enumerate(entries):
            place = f'sites[{at}] "{entry.name}"'
            if entry.name == UNKNOWN:
                raise Wrong(f"{place}: this word is kept for what no topology knows: choose another name")
            if spelled.setdefault(entry.name.lower(), at) != at:
                first = spelled[entry.name.lower()]
                raise Wrong(f"{place} has the name of sites[{first}] (case does not tell sites apart): keep one")
            if entry.country in NOT_ISO:
                raise Wrong(f"{place}: {entry.country} is not its ISO code: write {NOT_ISO[entry.country]}")
            names = {vo.lower(): tuple(names) for vo, names in entry.names.items()}
            self.sites[entry.name] = Site(entry.name, entry.country or UNKNOWN, entry.tier, names)

    def host(self, where: str, entry: HostEntry) -> Claim:
        place = f'{where} "{entry.host}"'
        name = _host_name(place, entry.host)
        return Claim(name, self._site(place, entry.site), _vos(entry.vos), *_interval(place, entry))

    def domain(self, where: str, entry: DomainEntry) -> list[Claim]:
        place = f'{where} "{entry.domain}"'
        name = _host_name(place, entry.domain.removeprefix("*."))
        sites = [self._site(place, site) for site in entry.sites]
        interval = _interval(place, entry)
        if is_public_suffix(name):
            self.warnings.append(f"{place} is left out: a public suffix belongs to no site")
            return []
        return [Claim(name, site, _vos(entry.vos), *interval) for site in sites]

    def door(self, where: str, entry: EndpointEntry) -> Door:
        place = f'{where} "{entry.name}"'
        site = self._site(place, entry.site) if entry.site else None
        host = _host_name(place, entry.host) if entry.host else ""
        if not host and (entry.path or entry.token):
            raise Wrong(f"{place} has a path or token but no host: add the host under which it is reached")
        if not host and not site:
            raise Wrong(f"{place} has neither site nor host: add one, else it says nothing")
        words = frozenset(filter(None, map(token_word, (entry.token, entry.type))))
        interval = _interval(place, entry)
        return Door(entry.name, entry.vo.lower(), site, host, path_of(entry.path), words, *interval)

    def _site(self, place: str, name: str) -> Site:
        site = self.sites.get(name)
        if site is None:
            raise Wrong(f'{place}: site "{name}" is not among the sites: add it there or correct the name')
        return site


def _vos(names: list[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def _host_name(place: str, name: str) -> str:
    clean = name.strip().lower().rstrip(".")
    if not is_host(clean):
        raise Wrong(f'{place}: "{name}" is not a bare host or domain name: leave out scheme, port, path and blanks')
    return clean


def _interval(place: str, entry: _Entry) -> tuple[int, int]:
    from_ms = BEGIN_MS if entry.valid_from is None else _time(place, "valid_from", entry.valid_from)
    to_ms = END_MS if entry.valid_to is None else _time(place, "valid_to", entry.valid_to)
    if from_ms >= to_ms:
        raise Wrong(f"{place}: valid_to is not after valid_from: correct one of them")
    return from_ms, to_ms


def _time(place: str, field: str, text: str) -> int:
    try:
        return time_ms(text)
    except ValueError as error:
        raise Wrong(f'{place}: {field} "{text}" is not an ISO 8601 time such as 2011-11-18T10:31:00Z') from error
