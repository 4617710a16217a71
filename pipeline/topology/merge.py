"""Several statements as one: what an earlier one says of a host, a domain or an endpoint goes before a later one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from pipeline.topology.document import DomainEntry, EndpointEntry, ExperimentEntry, HostEntry, SiteEntry
from pipeline.topology.sources.statement import Statement

Entry = HostEntry | DomainEntry | EndpointEntry
Key = tuple[str, ...]
"""What one statement speaks of: a host or domain, for which VOs; an endpoint of a VO. In lower case."""


class Said(NamedTuple):
    """All entries of one key. ``dated``: they state their own times."""

    entries: tuple[Entry, ...]
    dated: bool


class Merged(NamedTuple):
    """One statement out of several: sites by their names in lower case, and for each key who says it first."""

    sites: dict[str, SiteEntry]
    said: dict[Key, Said]
    experiments: tuple[ExperimentEntry, ...]


def merge(statements: Sequence[Statement]) -> Merged:
    """The statements as one, in their order (README.md, Several sources)."""
    sites: dict[str, SiteEntry] = {}
    said: dict[Key, Said] = {}
    experiments: dict[str, ExperimentEntry] = {}
    for statement in statements:
        names = _join(sites, statement.sites)
        for key, entries in by_key((*statement.hosts, *statement.domains, *statement.endpoints)).items():
            said.setdefault(key, Said(tuple(spelled(entry, names) for entry in entries), statement.dated))
        for experiment in statement.experiments:
            experiments.setdefault(experiment.vo.lower(), experiment)
    return Merged(sites, said, tuple(experiments[vo] for vo in sorted(experiments)))


def by_key(entries: Iterable[Entry]) -> dict[Key, list[Entry]]:
    """Entries by what they speak of."""
    found: dict[Key, list[Entry]] = {}
    for entry in entries:
        found.setdefault(_key(entry), []).append(entry)
    return found


def _key(entry: Entry) -> Key:
    if isinstance(entry, EndpointEntry):
        return "endpoint", entry.vo.lower(), entry.name.lower()
    kind, name = ("host", entry.host) if isinstance(entry, HostEntry) else ("domain", entry.domain)
    return kind, _bare(name), *sorted({vo.lower() for vo in entry.vos})


def _bare(name: str) -> str:
    return name.strip().lower().rstrip(".").removeprefix("*.")


def spelled(entry: Entry, names: dict[str, str]) -> Entry:
    """The entry in the one spelling in which entries are compared, its sites as ``names`` (by lower case) has them."""
    if isinstance(entry, EndpointEntry):
        site = entry.site and names.get(entry.site.lower(), entry.site)
        return msgspec.structs.replace(entry, site=site, vo=entry.vo.lower(), host=_bare(entry.host))
    vos = sorted({vo.lower() for vo in entry.vos})
    if isinstance(entry, DomainEntry):
        sites = sorted({names.get(site.lower(), site) for site in entry.sites})
        return msgspec.structs.replace(entry, domain=_bare(entry.domain), sites=sites, vos=vos)
    return msgspec.structs.replace(
        entry, host=_bare(entry.host), site=names.get(entry.site.lower(), entry.site), vos=vos
    )


def filled(site: SiteEntry, other: SiteEntry) -> SiteEntry:
    """The site with what only the other knows of it."""
    names = {
        vo: sorted({*site.names.get(vo, ()), *other.names.get(vo, ())}) for vo in sorted({*site.names, *other.names})
    }
    return SiteEntry(
        name=site.name,
        country=site.country or other.country,
        tier=other.tier if site.tier is None else site.tier,
        names=names,
    )


def _join(sites: dict[str, SiteEntry], more: Iterable[SiteEntry]) -> dict[str, str]:
    """Take further sites in; the name to use for each of theirs in lower case."""
    names = {}
    for site in more:
        known = _same(sites, site)
        joined = filled(known, site) if known else site
        sites[joined.name.lower()] = joined
        names[site.name.lower()] = joined.name
    return names


def _same(sites: dict[str, SiteEntry], site: SiteEntry) -> SiteEntry | None:
    """The site of that name; for one that is known by a VO's name only, the one site that the VO calls so."""
    known = sites.get(site.name.lower())
    if known:
        return known
    vos = [vo for vo, names in site.names.items() if site.name in names]
    called = [each for each in sites.values() if any(site.name in each.names.get(vo, ()) for vo in vos)]
    return called[0] if len(called) == 1 else None
