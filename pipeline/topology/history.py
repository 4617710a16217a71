"""A new statement laid over the topology in use: what changed ends at the load, and what is said now begins there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from pipeline.topology.document import Document, DomainEntry, EndpointEntry, HostEntry, SiteEntry
from pipeline.topology.merge import Entry, Key, Merged, Said, by_key, filled, spelled
from pipeline.topology.model import BEGIN_MS, END_MS
from pipeline.topology.reading import iso, time_ms

E = TypeVar("E", HostEntry, DomainEntry, EndpointEntry)


def carry(stored: Document | None, merged: Merged, at_ms: int, origin: str) -> Document:
    """The document that says what ``merged`` says from ``at_ms`` on, and before that what ``stored`` said.

    Per key (a host, a domain, an endpoint) all of its entries change together: the latest begun decide, so entries
    that stayed open beside new ones would lose to them. What was never spoken of before is taken as always so.
    Entries that state their own times stand as they are. Carrying the same twice changes nothing.
    """
    names = {name: site.name for name, site in merged.sites.items()}
    before = _spelled(stored, names)
    entries = []
    for key in sorted(before.keys() | merged.said.keys()):
        entries += _timeline(before.get(key, []), merged.said.get(key), at_ms)
    return Document(
        origin=origin,
        sites=_sites(stored.sites if stored else [], merged, entries),
        hosts=_sorted(HostEntry, entries),
        domains=_sorted(DomainEntry, entries),
        endpoints=_sorted(EndpointEntry, entries),
        experiments=list(merged.experiments or (stored.experiments if stored else ())),
    )


def _spelled(stored: Document | None, names: dict[str, str]) -> dict[Key, list[Entry]]:
    if stored is None:
        return {}
    entries: tuple[Entry, ...] = (*stored.hosts, *stored.domains, *stored.endpoints)
    return by_key(spelled(entry, names) for entry in entries)


def _timeline(before: Sequence[Entry], now: Said | None, at_ms: int) -> list[Entry]:
    """All entries of one key. From the load on it is what is said now, whatever was planned or loaded for later."""
    if now and now.dated:
        return list(now.entries)
    said = now.entries if now else ()
    if not before:
        return [_within(entry, BEGIN_MS, END_MS) for entry in said]
    holding = [entry for entry in before if span(entry)[0] <= at_ms < span(entry)[1]]
    if _content(holding) == _content(said):
        # Loaded with an instant of the past: what other loads said of the time after it is corrected.
        ended = [entry for entry in before if span(entry)[1] <= at_ms]
        return [*ended, *(_within(entry, span(entry)[0], END_MS) for entry in holding)]
    past = [_within(entry, span(entry)[0], min(span(entry)[1], at_ms)) for entry in before if span(entry)[0] < at_ms]
    return [*past, *(_within(entry, at_ms, END_MS) for entry in said)]


def _content(entries: Iterable[Entry]) -> set[bytes]:
    """What entries say, apart from when."""
    return {msgspec.json.encode(_within(entry, BEGIN_MS, END_MS)) for entry in entries}


def span(entry: Entry) -> tuple[int, int]:
    """When an entry holds, [from, to) in ms since the epoch, open ends as in ``model``."""
    return (
        BEGIN_MS if entry.valid_from is None else time_ms(entry.valid_from),
        END_MS if entry.valid_to is None else time_ms(entry.valid_to),
    )


def _within(entry: Entry, from_ms: int, to_ms: int) -> Entry:
    return msgspec.structs.replace(
        entry,
        valid_from=None if from_ms == BEGIN_MS else iso(from_ms),
        valid_to=None if to_ms == END_MS else iso(to_ms),
    )


def _sites(stored: Iterable[SiteEntry], merged: Merged, entries: Iterable[Entry]) -> list[SiteEntry]:
    """The sites that are spoken of now, and those of before that the past still needs."""
    needed: set[str] = set()
    for entry in entries:
        needed.update(site for site in (entry.sites if isinstance(entry, DomainEntry) else [entry.site]) if site)
    sites = dict(merged.sites)
    for site in stored:
        known = sites.get(site.name.lower())
        if known:
            sites[site.name.lower()] = filled(known, site)
        elif site.name in needed:
            sites[site.name.lower()] = site
    return [sites[name] for name in sorted(sites)]


def _sorted(kind: type[E], entries: Iterable[Entry]) -> list[E]:
    """Those of one kind, each once, in an order that does not depend on where they came from."""
    found = {msgspec.json.encode(entry): entry for entry in entries if isinstance(entry, kind)}
    return [found[text] for text in sorted(found)]
