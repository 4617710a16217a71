"""The topology in use, and taking another into use without a moment in which rows and windows disagree."""

from __future__ import annotations

import json
from typing import NamedTuple

from pipeline.store import locks, staleness, topologies
from pipeline.store.session import Connection, Cursor
from pipeline.topology.changes import changes
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


def load_topology(connection: Connection, content: bytes, source: str) -> Loaded:
    """Take a topology file into use and mark the windows that it maps otherwise, in one transaction.

    ``source`` is what the user calls it. Waits for batches under way. Raises TopologyError for a file that cannot be
    used; the one before then stays.
    """
    parsed = parse(content, source)
    with connection, connection.cursor() as cursor:
        locks.own_topology(cursor)
        before = newest_topology(cursor)
        revision = topologies.insert(cursor, json.loads(content), source)
        if revision == before.revision:
            return Loaded(revision, False, 0, 0, parsed.warnings)
        differing = changes(before, Topology(parsed.facts, revision))
        stale = staleness.mark_stale(cursor, differing)
        return Loaded(revision, True, len(differing), stale, parsed.warnings)


def newest_topology(cursor: Cursor) -> Topology:
    """The topology in use; the empty one, revision 0, when none was loaded."""
    found = topologies.latest(cursor)
    if found is None:
        return Topology.empty()
    revision, document = found
    return Topology(parse(json.dumps(document).encode(), f"revision {revision}").facts, revision)
