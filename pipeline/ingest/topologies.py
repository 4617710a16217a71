"""The topology in use, and taking another into use without a moment in which rows and windows disagree."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.store import locks, staleness, topologies
from pipeline.store.session import Connection, Cursor
from pipeline.store.topologies import Copy
from pipeline.topology.changes import changes
from pipeline.topology.compose import Dump, compose, reading
from pipeline.topology.files import parse
from pipeline.topology.resolve import Topology


class Loaded(NamedTuple):
    """What a load did: the revision in use, whether it is a new one, how many entries differ from the one before, how
    many base windows became stale, and what somebody should look at in the file."""

    revision: int
    is_new: bool
    changes: int
    stale: int
    warnings: tuple[str, ...]


def load_topology(
    connection: Connection,
    dumps: Sequence[Dump],
    at_ms: int,
    *,
    force: bool = False,
    copies: Sequence[Copy] = (),
    confirmed: bool = True,
) -> Loaded:
    """Take a topology made of files and dumps into use and mark the windows that it maps otherwise, in one transaction.

    What dumps say holds from ``at_ms`` on (``pipeline.topology.compose``). ``copies`` are those dumps that came from
    an address, kept now that they are known to be good; ``confirmed``: all of it was heard just now. Waits for batches
    under way. Raises TopologyError for what cannot be used; the topology and copies of before then stay.
    """
    readings = [reading(dump) for dump in dumps]  # before anybody has to wait
    with connection, connection.cursor() as cursor:
        locks.own_topology(cursor)
        before = newest_topology(cursor)
        stored = topologies.latest(cursor)
        composed = compose(readings, stored and stored[1], before.facts, at_ms, force)
        topologies.keep(cursor, copies)
        revision = topologies.insert(cursor, composed.document, ", ".join(dump.where for dump in dumps), confirmed)
        if revision == before.revision:
            return Loaded(revision, False, 0, 0, composed.warnings)
        differing = changes(before, Topology(composed.facts, revision))
        stale = staleness.mark_stale(cursor, differing)
        return Loaded(revision, True, len(differing), stale, composed.warnings)


def newest_topology(cursor: Cursor) -> Topology:
    """The topology in use; the empty one, revision 0, when none was loaded."""
    found = topologies.latest(cursor)
    if found is None:
        return Topology.empty()
    revision, document = found
    return Topology(parse(json.dumps(document).encode(), f"revision {revision}").facts, revision)
