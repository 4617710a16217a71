"""What one dump states, and the collector that its reader fills: dumps are dirty, so each record is judged alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pipeline.topology.document import DomainEntry, EndpointEntry, ExperimentEntry, HostEntry, SiteEntry
from pipeline.topology.files import NOT_ISO
from pipeline.topology.model import UNKNOWN
from pipeline.topology.public_suffix import is_public_suffix
from pipeline.topology.reading import Wrong, is_host
from schemas.hosts import host_name, host_of_url

_COUNTRY = re.compile(r"[A-Z]{2}")
_CMS_SITE = re.compile(r"T([0-4])_([A-Z]{2})_\w+")
_RESERVED = re.compile(r"(?:.*\.)?(?:example|example\.(?:com|net|org)|invalid|localhost|local|test)")
"""Names kept for examples and machines of one's own (RFC 2606, RFC 6761, RFC 6762): they are nobody's."""


class Statement(NamedTuple):
    """What one file says. ``dated``: its entries state their own times; else they hold at the time of the load.

    ``notes`` are sentences on what of it could not be used.
    """

    sites: tuple[SiteEntry, ...]
    hosts: tuple[HostEntry, ...]
    domains: tuple[DomainEntry, ...]
    endpoints: tuple[EndpointEntry, ...]
    experiments: tuple[ExperimentEntry, ...] = ()
    dated: bool = False
    notes: tuple[str, ...] = ()


class Source(NamedTuple):
    """A format of dumps: its name for ``--as``, how it is recognised by its content, and its reader.

    ``content`` is JSON's value, or the root of an XML document. The reader gets it with the VO that the user named,
    "" for none, and may be given anything: it raises Wrong for what it cannot use.
    """

    name: str
    fits: Callable[[Any], bool]
    read: Callable[[Any, str], Statement]


class Collector:
    """Takes records one by one. A host may be said with a rank: only what is said with its lowest rank stays."""

    def __init__(self) -> None:
        self._sites: dict[str, SiteEntry] = {}
        self._hosts: dict[str, dict[str, int]] = {}
        self._domains: list[DomainEntry] = []
        self._endpoints: dict[tuple[str, ...], dict[str, tuple[int, EndpointEntry]]] = {}
        self._left_out: dict[str, list[str]] = {}
        self._records = 0
        self._unusable = 0

    def site(
        self, name: str, country: str = "", tier: object = None, names: Mapping[str, list[str]] | None = None
    ) -> str:
        """A site, once or often; gives its name as it was spelled first, "" for what is no name of a site."""
        name = name.strip()
        if not name or name.lower() == UNKNOWN:
            return ""
        entry = self._sites.setdefault(name.lower(), SiteEntry(name=name))
        entry.country = entry.country or _country(country)
        if entry.tier is None and isinstance(tier, int) and 0 <= tier <= 4:
            entry.tier = tier
        for vo, own in (names or {}).items():
            entry.names = {**entry.names, vo: sorted({*entry.names.get(vo, ()), *own})}
        return entry.name

    def host(self, address: str, site: str, rank: int = 0) -> None:
        """That a host, given by name, host:port or URL, belongs to a site; ``*.cern.ch`` is a domain."""
        self._records += 1
        host = host_of(address)
        if host.startswith("*."):
            self.domain(host[2:], [site])
        elif not is_host(host) or host == UNKNOWN:
            self._unusable += 1
            self._leave_out("no name of a host", address)
        elif name := self.site(site):
            said = self._hosts.setdefault(host, {})
            said[name] = min(rank, said.get(name, rank))
        else:
            self._unusable += 1
            self._leave_out("without a site", host)

    def domain(self, domain: str, sites: list[str]) -> None:
        """That all hosts of a domain belong to one of these sites."""
        name = domain.strip().lower().strip(".")
        known = sorted({self.site(site) for site in sites} - {""})
        if is_public_suffix(name) or _RESERVED.fullmatch(name):
            self._leave_out("a public suffix or a reserved name, which belongs to no site", domain)
        elif not is_host(name) or not known:
            self._records += 1
            self._unusable += 1
            self._leave_out("a domain without a name or site", domain)
        else:
            self._records += 1
            self._domains.append(DomainEntry(domain=name, sites=known))

    def endpoint(self, entry: EndpointEntry, rank: int = 0) -> None:
        """A door of a VO endpoint. Of two endpoints with one host, path and token that of the lower rank stays."""
        self._records += 1
        if entry.host and (not is_host(entry.host) or entry.host == UNKNOWN):
            self._unusable += 1
            self._leave_out("an endpoint on no host", f"{entry.name} at {entry.host}")
            return
        if not entry.host and not entry.site:
            self._unusable += 1
            self._leave_out("an endpoint without host and site", entry.name)
            return
        place = (entry.vo, entry.host, entry.path, entry.token, entry.type)
        # Without a host the endpoint is known by its name alone, and no other can be meant.
        rivals = self._endpoints.setdefault(place if entry.host else (*place, entry.name), {})
        known = rivals.get(entry.name.lower())
        if known is None or rank < known[0]:
            rivals[entry.name.lower()] = (rank, entry)

    def note(self, what: str, example: str) -> None:
        """Something that was left out, told once with an example and its number."""
        self._leave_out(what, example)

    def done(self, experiments: tuple[ExperimentEntry, ...] = ()) -> Statement:
        """All of it. Raises Wrong when nothing, or less than half of the records, could be used."""
        if self._unusable * 2 > self._records:
            raise Wrong(f"{self._unusable} of its {self._records} records cannot be used: {'; '.join(self._notes())}")
        if not (self._sites or self._endpoints or experiments):
            raise Wrong("it has no records")
        hosts = []
        for host, said in sorted(self._hosts.items()):
            lowest = min(said.values())
            hosts += [HostEntry(host=host, site=site) for site, rank in sorted(said.items()) if rank == lowest]
        endpoints = []
        for rivals in self._endpoints.values():
            lowest = min(rank for rank, _ in rivals.values())
            endpoints += [entry for rank, entry in rivals.values() if rank == lowest]
        return Statement(
            tuple(self._sites.values()),
            tuple(hosts),
            tuple(self._domains),
            tuple(endpoints),
            experiments,
            notes=tuple(self._notes()),
        )

    def _leave_out(self, why: str, example: str) -> None:
        self._left_out.setdefault(why, []).append(example)

    def _notes(self) -> list[str]:
        return [
            f'"{examples[0][:200]}"{f" and {len(examples) - 1} more" if examples[1:] else ""} left out: {why}'
            for why, examples in self._left_out.items()
        ]


def host_of(address: str) -> str:
    """The host of a URL, of host:port or of a bare host, in lower case; ``unknown`` for none."""
    return host_of_url(address) if "://" in address else host_name(address.partition("/")[0])


def cms_site(name: str) -> tuple[str, int] | None:
    """Country and tier that a CMS site name such as T2_US_Nebraska tells."""
    match = _CMS_SITE.fullmatch(name)
    return (match[2], int(match[1])) if match else None


def mapping(value: object) -> dict[str, Any]:
    """The object, empty where there is none."""
    return value if isinstance(value, dict) else {}


def listing(value: object) -> list[Any]:
    """The array, empty where there is none."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """The text, empty where there is none."""
    return value.strip() if isinstance(value, str) else ""


def whole(value: object) -> int | None:
    """The whole number, also one that is written as text."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value[:20])
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _country(code: str) -> str | None:
    upper = code.strip().upper()
    upper = NOT_ISO.get(upper, upper)
    return upper if _COUNTRY.fullmatch(upper) else None
