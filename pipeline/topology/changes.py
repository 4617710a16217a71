"""What resolves differently between two topologies: after a load the windows of those times are stale."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeVar

from pipeline.topology.model import Change, Claim, Door, Place, valid_at
from pipeline.topology.resolve import Topology
from pipeline.topology.rules import by_message, deciding, place_of

_ANY_OTHER = ""
"""Stands for every VO that no entry names."""

F = TypeVar("F", Claim, Door)


def changes(old: Topology, new: Topology) -> list[Change]:
    """Every host, domain and endpoint name on which two topologies differ, with the times in which they do.

    A side of a transfer can resolve differently only if a change of its time is on its host, on its host's domain
    (or one above), or, ``endpoint``, on the RSE that its message names; names are in lower case. Sorted.
    """
    found: list[Change] = []
    for name in sorted(old.hosts.keys() | new.hosts.keys()):
        found += _compare("host", name, old.hosts.get(name, ()), new.hosts.get(name, ()), _places)
    for name in sorted(old.domains.keys() | new.domains.keys()):
        found += _compare("domain", name, old.domains.get(name, ()), new.domains.get(name, ()), _places)
    doors = (*old.facts.doors, *new.facts.doors)
    for name in sorted({door.host for door in doors if door.host}):
        found += _compare("host", name, old.doors_at(name), new.doors_at(name), _behind_host)
    for name in sorted({door.name.lower() for door in doors}):
        found += _compare("endpoint", name, old.doors_of(name), new.doors_of(name), _named)
    return sorted(set(found))


def _compare(
    kind: Literal["host", "domain", "endpoint"],
    name: str,
    old: Sequence[F],
    new: Sequence[F],
    says: Callable[[Sequence[F], int], object],
) -> Iterator[Change]:
    """The longest spans of time in which the facts of one name say something else."""
    edges = sorted({edge for fact in (*old, *new) for edge in (fact.from_ms, fact.to_ms)})
    began: int | None = None
    for edge in edges:
        # Between two edges nothing begins or ends, and from the last on nothing is valid, so each run is closed.
        differs = says(old, edge) != says(new, edge)
        if differs and began is None:
            began = edge
        elif not differs and began is not None:
            yield Change(kind, name, began, edge)
            began = None


def _places(claims: Sequence[Claim], at_ms: int) -> object:
    def place(vo: str) -> Place | None:
        decided = deciding(claims, vo, at_ms)
        return place_of(decided, "host") if decided else None

    others = place(_ANY_OTHER)
    named = {vo: place(vo) for claim in claims for vo in claim.vos}
    return others, {vo: own for vo, own in named.items() if own != others}


def _named(doors: Sequence[Door], at_ms: int) -> object:
    valid = valid_at(doors, at_ms)
    named = {}
    for vo in {door.vo for door in valid}:
        name, site, _ = by_message(valid, "", vo, at_ms)
        named[vo] = (name, site and (site.name, site.country))
    return named


def _behind_host(doors: Sequence[Door], at_ms: int) -> object:
    """The valid doors without their times; of these only the order matters, where one endpoint has several doors."""
    valid = valid_at(doors, at_ms)
    begun: dict[tuple[str, str, str], set[int]] = {}
    for door in valid:
        begun.setdefault((door.vo, door.name.lower(), door.path), set()).add(door.from_ms)
    seen = set()
    for door in valid:
        later = sum(start > door.from_ms for start in begun[door.vo, door.name.lower(), door.path])
        seen.add((door.name, door.vo, door.site and (door.site.name, door.site.country), door.path, door.words, later))
    return seen
