"""Where a transfer went: sites, countries and VO endpoints of both ends as they were at its event time; what a failed
one died of.

A record is never dropped for an unknown host; the status tells how each end was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

import msgspec

from pipeline.stages.decode import Dead, Decoded
from pipeline.stages.errors import ErrorKey, error_of
from pipeline.stages.finality import Source
from pipeline.stages.flows import FlowKey
from pipeline.stages.queues import Samples, merge
from pipeline.stages.users import NO_USERS, Users
from pipeline.stages.windows import LinkKey
from schemas.events import FTS, Complete, QueueReport, Side, Start, StateChange


class Resolved(Protocol):
    """Where one end of a transfer lies, and how that was found: ``message``, ``endpoint``, ``host``, ``domain``,
    ``ambiguous`` or ``unknown``."""

    @property
    def site(self) -> str: ...
    @property
    def country(self) -> str: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def status(self) -> str: ...


class Topology(Protocol):
    """What enrichment asks: sites, countries and VO endpoints that were valid at an instant."""

    @property
    def revision(self) -> int: ...
    def resolve(self, host: str, vo: str, at_ms: int, rse: str, url: str, token: str) -> Resolved: ...


class NewStart(msgspec.Struct, gc=False):
    """A start with its places. ``paired`` is decided later."""

    start: Start
    link: LinkKey
    flow: FlowKey
    src: Resolved
    dst: Resolved
    paired: bool = False


class NewComplete(msgspec.Struct, gc=False):
    """A complete with its places, its user's hash and, if it failed, its kind of failure; ``started_by`` is the
    (event_ms, dedupe) of its start, decided later.
    """

    complete: Complete
    link: LinkKey
    flow: FlowKey
    src: Resolved
    dst: Resolved
    error: ErrorKey | None
    user_hash: str = ""
    started_by: tuple[int, int] | None = None


class NewState(msgspec.Struct, gc=False):
    """A state message with its link, which has hosts alone: nobody counts states by site."""

    change: StateChange
    link: LinkKey


class Enriched(NamedTuple):
    """An enriched batch, the topology revision that it was enriched with, and the raw floor that it was decoded with
    (``Horizon``). Queues are told by host alone. ``progress``: the newest receipt times (ms) that it brings with it."""

    starts: list[NewStart]
    completes: list[NewComplete]
    states: list[NewState]
    dead: list[Dead]
    topology_revision: int
    reports: list[QueueReport]
    samples: Samples
    raw_floor_ms: int | None = None
    progress: Mapping[Source, int] = MappingProxyType({})


def enrich(decoded: Decoded, topology: Topology, users: Users = NO_USERS) -> Enriched:
    """Look up both ends of every event, and hash its user."""
    return Enriched(
        [NewStart(start, *place(start, topology)) for start in decoded.starts],
        [
            NewComplete(complete, *place(complete, topology), error_of(complete), users.hash(complete.user))
            for complete in decoded.completes
        ],
        [NewState(change, _hosts_alone(change)) for change in decoded.states],
        decoded.dead,
        topology.revision,
        decoded.reports,
        merge(decoded.reports),
    )


def place(event: Start | Complete, topology: Topology) -> tuple[LinkKey, FlowKey, Resolved, Resolved]:
    """The link and the flow of an event, with both of its ends resolved."""
    source, destination, vo = event.src, event.dst, event.vo
    src = _resolve(source, vo, event.event_ms, topology)
    dst = _resolve(destination, vo, event.event_ms, topology)
    technology = event.technology if type(event) is Complete else FTS
    link = LinkKey(
        technology,
        event.fts,
        vo,
        event.channel,
        source.host,
        destination.host,
        src.site,
        dst.site,
        src.country,
        dst.country,
    )
    flow = FlowKey(technology, event.fts, vo, event.activity, src.site, dst.site, src.endpoint, dst.endpoint)
    return link, flow, src, dst


def _hosts_alone(change: StateChange) -> LinkKey:
    return LinkKey(FTS, change.fts, change.vo, "", change.src_host, change.dst_host, "", "", "", "")


def _resolve(side: Side, vo: str, at_ms: int, topology: Topology) -> Resolved:
    return topology.resolve(side.host, vo, at_ms, side.rse, side.url, side.token)
