"""The rules by which facts that may contradict each other give one answer; README.md states them in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeVar

from pipeline.topology.model import (
    UNKNOWN,
    Claim,
    Door,
    EndpointStatus,
    Place,
    Resolved,
    Site,
    SiteStatus,
    Timed,
    valid_at,
)
from pipeline.topology.paths import PathView, is_within, token_word

Index = Mapping[str, tuple[Claim, ...]]
T = TypeVar("T", bound=Timed)


class Located(NamedTuple):
    """Where a host stands, and the claims that decided: on the ``host``, on a ``domain``, or none at all."""

    place: Place
    level: Literal["host", "domain", "none"]
    by: tuple[Claim, ...]


class Named(NamedTuple):
    """Which VO endpoint was found; ``name`` is ``unknown`` if none or several, ``site`` None if not recorded."""

    name: str
    site: Site | None
    status: EndpointStatus


NOWHERE = Located(Place(UNKNOWN, UNKNOWN, "unknown"), "none", ())


def suffixes(host: str) -> Iterator[str]:
    """The host and every domain above it, longest first."""
    while host:
        yield host
        host = host.partition(".")[2]


def _latest(facts: Sequence[T]) -> list[T]:
    newest = max(fact.from_ms for fact in facts)
    return [fact for fact in facts if fact.from_ms == newest]


def deciding(claims: Sequence[Claim], vo: str, at_ms: int) -> list[Claim]:
    """Of the claims on one name those that decide for a VO: valid, made for this VO if any is, begun latest."""
    valid = valid_at(claims, at_ms)
    left = [claim for claim in valid if vo in claim.vos] or [claim for claim in valid if not claim.vos]
    return _latest(left) if left else []


def place_of(claims: Sequence[Claim], status: SiteStatus) -> Place:
    """The one site that the claims agree on; where they do not, no site, but the country if they agree on that."""
    names = {claim.site.name for claim in claims}
    countries = {claim.site.country for claim in claims}
    country = countries.pop() if len(countries) == 1 else UNKNOWN
    return Place(names.pop(), country, status) if len(names) == 1 else Place(UNKNOWN, country, "ambiguous")


def locate(hosts: Index, domains: Index, host: str, vo: str, at_ms: int) -> Located:
    """Where a host stands: by its own name, else by the longest domain that says anything for this VO and time."""
    claims = deciding(hosts.get(host, ()), vo, at_ms)
    if claims:
        return Located(place_of(claims, "host"), "host", tuple(claims))
    for suffix in suffixes(host):
        claims = deciding(domains.get(suffix, ()), vo, at_ms)
        if claims:
            return Located(place_of(claims, "domain"), "domain", tuple(claims))
    return NOWHERE


def by_message(doors: Sequence[Door], rse: str, vo: str, at_ms: int) -> Named:
    """The endpoint that the message names, in the topology's spelling and with its site if it knows it.

    ``doors`` are those of that name, whatever its case.
    """
    valid = valid_at((door for door in doors if door.vo == vo), at_ms)
    return _named(valid, "message") if valid else Named(rse, None, "message")


def by_path(doors: Sequence[Door], vo: str, at_ms: int, token: str, view: PathView) -> Named:
    """The endpoint behind the doors of a host: narrowed by VO and time, token, longest path, directory names."""
    left = valid_at((door for door in doors if door.vo == vo), at_ms)
    if word := token_word(token):
        left = [door for door in left if word in door.words] or [door for door in left if not door.words]
    left = [door for door in left if is_within(view.longest, door.path)]
    if not left:
        return Named(UNKNOWN, None, "unknown")
    longest = max(len(door.path) for door in left)
    left = [door for door in left if len(door.path) == longest]
    left = [door for door in left if door.words & view.hints] or left
    if len({door.name.lower() for door in left}) > 1:
        return Named(UNKNOWN, None, "ambiguous")
    return _named(left, "endpoint")


def _named(doors: Sequence[Door], status: EndpointStatus) -> Named:
    """The doors of one endpoint as one answer: the latest begun decide; where these differ in site, none is given."""
    newest = _latest(doors)
    sites = {door.site.name: door.site for door in newest if door.site}
    return Named(min(door.name for door in newest), sites.popitem()[1] if len(sites) == 1 else None, status)


def combine(endpoint: Named, place: Place) -> Resolved:
    """One side of a transfer: the endpoint's site where that is known, else the host's."""
    if endpoint.status == "unknown":
        return Resolved(place.site, place.country, UNKNOWN, place.status)
    if endpoint.site:
        return Resolved(endpoint.site.name, endpoint.site.country, endpoint.name, endpoint.status)
    return Resolved(place.site, place.country, endpoint.name, endpoint.status)
