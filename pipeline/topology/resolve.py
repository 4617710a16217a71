"""The topology as one immutable snapshot that answers look-ups at an event time."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TypeVar

from pipeline.topology.model import NO_FACTS, UNKNOWN, Claim, Door, Endpoint, Facts, Place, Resolved
from pipeline.topology.paths import NOTHING_SEEN, PathReader, PathView
from pipeline.topology.rules import Located, Named, by_message, by_path, combine, locate, suffixes

CACHE_ENTRIES = 50_000
"""Answers kept, some 20 MB; a full cache starts anew, which is cheaper at each look-up than keeping its order."""

CACHED_KEY_CHARS = 1_000
"""Longest key kept, more than any real host and token: a broken message must not fill the cache with its text."""

_Key = tuple[str, str, str, PathView | None]
F = TypeVar("F", Claim, Door)


def group(facts: Iterable[F], key: Callable[[F], str]) -> dict[str, tuple[F, ...]]:
    """Facts by key, in their order."""
    groups: dict[str, list[F]] = {}
    for fact in facts:
        groups.setdefault(key(fact), []).append(fact)
    return {name: tuple(members) for name, members in groups.items()}


class Topology:
    """What one revision of the topology says. Nothing in it changes but the cache, which never changes an answer.

    Hosts are passed as links name them: lower case, no port, no trailing dot. VOs, RSEs and tokens are passed as
    sent, "" where absent; their case does not matter. Safe to share between threads.
    """

    __slots__ = ("_cache", "_doors_by_host", "_doors_by_name", "_readers", "domains", "facts", "hosts", "revision")

    def __init__(self, facts: Facts, revision: int) -> None:
        self.facts = facts
        self.revision = revision
        self.hosts = group(facts.hosts, lambda claim: claim.name)
        self.domains = group(facts.domains, lambda claim: claim.name)
        self._doors_by_name = group(facts.doors, lambda door: door.name.lower())
        self._doors_by_host = group((door for door in facts.doors if door.host), lambda door: door.host)
        self._readers = {host: PathReader(doors) for host, doors in self._doors_by_host.items()}
        self._cache: dict[_Key, tuple[int, int, Resolved]] = {}

    @classmethod
    def empty(cls) -> Topology:
        """Revision 0, before any topology was loaded: everything is unknown."""
        return cls(NO_FACTS, 0)

    def resolve(self, host: str, vo: str, at_ms: int, rse: str = "", url: str = "", token: str = "") -> Resolved:
        """Site, country, VO endpoint and status of one side of a transfer whose event time is ``at_ms``.

        ``rse`` is the endpoint named in the message's metadata, ``url`` and ``token`` are that side's.
        """
        # The key holds just what can change the answer, so that few keys serve many messages: a named RSE makes URL
        # and token irrelevant, and so does a host without doors; a host with doors needs of its URL only the view.
        reader = None if rse else self._readers.get(host)
        key = (host, vo, rse, None) if reader is None else (host, vo, token, reader.view(url))
        hit = self._cache.get(key)
        if hit is not None and hit[0] <= at_ms < hit[1]:
            return hit[2]
        return self._look_up(key, at_ms)

    def site_of(self, host: str, vo: str, at_ms: int) -> Place:
        """The site of a host by the host itself, else by its domain."""
        return self.located(host, vo, at_ms).place

    def endpoint_of(self, rse: str, host: str, url: str, token: str, vo: str, at_ms: int) -> Endpoint:
        """The VO endpoint: the one that the message names, else the one behind host, space token and path."""
        reader = self._readers.get(host)
        named = self._named(rse, host, vo, token, reader.view(url) if reader else NOTHING_SEEN, at_ms)
        if named.site is None:
            return Endpoint(named.name, UNKNOWN, UNKNOWN, named.status)
        return Endpoint(named.name, named.site.name, named.site.country, named.status)

    def located(self, host: str, vo: str, at_ms: int) -> Located:
        """As ``site_of``, with the claims that decided."""
        return locate(self.hosts, self.domains, host, vo.lower(), at_ms)

    def claims_on(self, host: str) -> Iterator[Claim]:
        """Every claim that could ever decide for a host: on itself, then on its domains from the longest."""
        above = (self.domains.get(suffix, ()) for suffix in suffixes(host))
        return chain(self.hosts.get(host, ()), chain.from_iterable(above))

    def doors_at(self, host: str) -> tuple[Door, ...]:
        """The doors of VO endpoints at a host."""
        return self._doors_by_host.get(host, ())

    def doors_of(self, rse: str) -> tuple[Door, ...]:
        """The doors of the endpoint of that name, whatever its case."""
        return self._doors_by_name.get(rse.lower(), ())

    def _named(self, rse: str, host: str, vo: str, token: str, view: PathView, at_ms: int) -> Named:
        if rse:
            return by_message(self.doors_of(rse), rse, vo.lower(), at_ms)
        return by_path(self.doors_at(host), vo.lower(), at_ms, token, view)

    def _look_up(self, key: _Key, at_ms: int) -> Resolved:
        host, vo, word, view = key
        rse, token = (word, "") if view is None else ("", word)
        named = self._named(rse, host, vo, token, view or NOTHING_SEEN, at_ms)
        resolved = combine(named, self.site_of(host, vo, at_ms))
        doors = self.doors_of(rse) if rse else self.doors_at(host)
        facts: Iterable[Claim | Door] = chain(self.claims_on(host), doors)
        edges = sorted({edge for fact in facts for edge in (fact.from_ms, fact.to_ms)})
        after = bisect_right(edges, at_ms)
        from_ms = edges[after - 1] if after else -sys.maxsize
        to_ms = edges[after] if after < len(edges) else sys.maxsize
        if len(self._cache) >= CACHE_ENTRIES:
            self._cache.clear()
        if len(host) + len(vo) + len(word) <= CACHED_KEY_CHARS:
            self._cache[key] = (from_ms, to_ms, resolved)
        return resolved
