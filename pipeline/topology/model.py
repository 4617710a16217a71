"""The values of a topology: what a file states, and what a look-up answers. No rules and no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, Protocol, TypeVar

UNKNOWN = "unknown"
"""Site, country or endpoint where the topology says nothing, or says more than one thing."""

BEGIN_MS = 0
"""``from_ms`` of what was always so: no event lies before 1970."""

END_MS = 253_402_214_400_000
"""``to_ms`` of what has no end: 9999-12-31, the last day that both Python and Postgres can write."""

SiteStatus = Literal["host", "domain", "ambiguous", "unknown"]
EndpointStatus = Literal["message", "endpoint", "ambiguous", "unknown"]
Status = Literal["message", "endpoint", "host", "domain", "ambiguous", "unknown"]


class TopologyError(Exception):
    """A topology that cannot be used; the text is one sentence that names what is wrong and where."""


class Timed(Protocol):
    """Anything that is true in the half-open interval [from_ms, to_ms), in ms since the epoch."""

    @property
    def from_ms(self) -> int: ...
    @property
    def to_ms(self) -> int: ...


T = TypeVar("T", bound=Timed)


def valid_at(facts: Iterable[T], at_ms: int) -> list[T]:
    """Those facts that are true at ``at_ms``."""
    return [fact for fact in facts if fact.from_ms <= at_ms < fact.to_ms]


class Site(NamedTuple):
    """A resource centre under its GOCDB, OSG or CRIC name; ``country`` is ISO 3166 alpha-2 or ``unknown``."""

    name: str
    country: str
    tier: int | None
    names: Mapping[str, tuple[str, ...]]
    """What each VO calls the site, for example ``{"cms": ("T0_CH_CERN", "T2_CH_CERN")}``."""


class Claim(NamedTuple):
    """That a host, or a domain with all below it, belongs to a site; for some VOs only if ``vos`` names any."""

    name: str
    site: Site
    vos: frozenset[str]
    from_ms: int
    to_ms: int


class Door(NamedTuple):
    """A way to a VO endpoint: what the VO calls it, and the host and path under which it is reached.

    ``host`` is "" for an endpoint that is known by name only, ``path`` "" for one that owns its whole host.
    ``words`` are space token and type as ``paths.token_word`` writes them.
    """

    name: str
    vo: str
    site: Site | None
    host: str
    path: str
    words: frozenset[str]
    from_ms: int
    to_ms: int


class Facts(NamedTuple):
    """All that one topology file states, checked and normalised."""

    sites: tuple[Site, ...]
    hosts: tuple[Claim, ...]
    domains: tuple[Claim, ...]
    doors: tuple[Door, ...]


NO_FACTS = Facts((), (), (), ())


class Place(NamedTuple):
    """The site of a host and how it was found."""

    site: str
    country: str
    status: SiteStatus


class Endpoint(NamedTuple):
    """The VO endpoint of one side of a transfer and how it was found; ``site`` is ``unknown`` if not recorded."""

    name: str
    site: str
    country: str
    status: EndpointStatus


class Resolved(NamedTuple):
    """All that the topology says of one side of a transfer; ``status`` tells the strongest rule that decided."""

    site: str
    country: str
    endpoint: str
    status: Status


class Change(NamedTuple):
    """That two topologies differ on a host, on a domain, or on an endpoint named in messages, in [from_ms, to_ms)."""

    kind: Literal["host", "domain", "endpoint"]
    name: str
    from_ms: int
    to_ms: int
