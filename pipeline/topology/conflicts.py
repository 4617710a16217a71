"""Finds what a topology says twice or in two ways at the same time; the rules settle it, people should mend it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import combinations
from typing import TypeVar

from pipeline.topology.model import BEGIN_MS, END_MS, Claim, Door, Facts, Site
from pipeline.topology.reading import iso

F = TypeVar("F", Claim, Door)


def conflicts(facts: Facts) -> Iterator[str]:
    """One sentence per conflict, in the order of the facts. A domain listed once with several sites is none."""
    for one, two in _overlapping(facts.hosts, lambda claim: claim.name):
        if _same_vos(one, two):
            yield _claims_conflict("host", one, two)
    for one, two in _overlapping(facts.domains, lambda claim: claim.name):
        if _same_vos(one, two) and not _one_entry(one, two):
            yield _claims_conflict("domain", one, two)
    for door, other in _overlapping(facts.doors, lambda door: (door.vo, door.name.lower())):
        if door.site and other.site and door.site != other.site:
            yield _sites_conflict(f'endpoint "{door.name}" of {door.vo}', door, other, door.site, other.site)
    hosted = [door for door in facts.doors if door.host]
    for door, other in _overlapping(hosted, lambda door: (door.vo, door.host, door.path, door.words)):
        if door.name.lower() != other.name.lower():
            yield (
                f'endpoints "{door.name}" and "{other.name}" of {door.vo} have the same host, path and token '
                f"{_span(door, other)}: transfers there are ambiguous unless the message names one"
            )


def _overlapping(facts: Iterable[F], key: Callable[[F], Hashable]) -> Iterator[tuple[F, F]]:
    groups: dict[Hashable, list[F]] = {}
    for fact in facts:
        groups.setdefault(key(fact), []).append(fact)
    for members in groups.values():
        for one, two in combinations(members, 2):
            if one.from_ms < two.to_ms and two.from_ms < one.to_ms:
                yield one, two


def _same_vos(one: Claim, two: Claim) -> bool:
    """Whether there is a VO for which both decide: an entry for some VOs goes before one for all."""
    return bool(one.vos & two.vos) or one.vos == two.vos


def _one_entry(one: Claim, two: Claim) -> bool:
    return one.site != two.site and one._replace(site=two.site) == two


def _claims_conflict(kind: str, one: Claim, two: Claim) -> str:
    subject = f'{kind} "{one.name}"'
    if one.site == two.site:
        return f"{subject} is listed twice at {one.site.name} {_span(one, two)}"
    return _sites_conflict(subject, one, two, one.site, two.site)


def _sites_conflict(subject: str, one: F, two: F, one_site: Site, two_site: Site) -> str:
    text = f"{subject} is at {one_site.name} and at {two_site.name} {_span(one, two)}"
    if one.from_ms == two.from_ms:
        return f"{text}: its site is ambiguous"
    return f"{text}: {(one_site if one.from_ms > two.from_ms else two_site).name}, the later, is taken"


def _span(one: F, two: F) -> str:
    from_ms, to_ms = max(one.from_ms, two.from_ms), min(one.to_ms, two.to_ms)
    if from_ms == BEGIN_MS and to_ms == END_MS:
        return "at all times"
    if to_ms == END_MS:
        return f"from {iso(from_ms)} on"
    return f"until {iso(to_ms)}" if from_ms == BEGIN_MS else f"from {iso(from_ms)} to {iso(to_ms)}"
