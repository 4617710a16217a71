"""All that a topology knows of one host, for people: ``topology show HOST --at T``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.topology.model import Claim, Door, Status
from pipeline.topology.resolve import Topology
from pipeline.topology.rules import Located, suffixes


@dataclass(frozen=True, slots=True)
class Answer:
    """Where the host stands for a VO ("" for every VO that has no entry of its own), and why."""

    vo: str
    site: str
    country: str
    status: Status
    because: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One entry that speaks of the host; ``holds`` tells whether it does so at the time asked for.

    ``path`` and ``words`` (space token and type) belong to endpoints. The times are ms since the epoch, open ends
    as in ``model``.
    """

    kind: Literal["host", "domain", "endpoint"]
    name: str
    site: str
    vos: tuple[str, ...]
    path: str
    words: tuple[str, ...]
    from_ms: int
    to_ms: int
    holds: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What revision ``revision`` says of ``host`` at ``at_ms``."""

    host: str
    at_ms: int
    revision: int
    answers: tuple[Answer, ...]
    statements: tuple[Statement, ...]


def describe(topology: Topology, host: str, at_ms: int) -> Report:
    """All entries on a host, on the domains above it and on the endpoints behind it, and what they amount to."""
    own = topology.hosts.get(host, ())
    above = [claim for suffix in suffixes(host) for claim in topology.domains.get(suffix, ())]
    statements = [
        *(_claim("host", claim, at_ms) for claim in own),
        *(_claim("domain", claim, at_ms) for claim in above),
        *(_door(door, at_ms) for door in topology.doors_at(host)),
    ]
    vos = sorted({"", *(vo for claim in (*own, *above) for vo in claim.vos)})
    answers = tuple(_answer(topology.located(host, vo, at_ms), vo) for vo in vos)
    return Report(host, at_ms, topology.revision, answers, tuple(statements))


def _answer(located: Located, vo: str) -> Answer:
    if not located.by:
        return Answer(vo, *located.place, because="no entry names the host or a domain above it at this time")
    sites = " and ".join(sorted({claim.site.name for claim in located.by}))
    return Answer(vo, *located.place, because=f'{located.level} "{located.by[0].name}" belongs to {sites}')


def _claim(kind: Literal["host", "domain"], claim: Claim, at_ms: int) -> Statement:
    vos = tuple(sorted(claim.vos))
    return Statement(kind, claim.name, claim.site.name, vos, "", (), claim.from_ms, claim.to_ms, _holds(claim, at_ms))


def _door(door: Door, at_ms: int) -> Statement:
    site = door.site.name if door.site else ""
    words = tuple(sorted(door.words))
    holds = _holds(door, at_ms)
    return Statement("endpoint", door.name, site, (door.vo,), door.path, words, door.from_ms, door.to_ms, holds)


def _holds(fact: Claim | Door, at_ms: int) -> bool:
    return fact.from_ms <= at_ms < fact.to_ms
