"""Which windows a new topology would map otherwise: marked ``stale`` until ``recompute`` rewrites them."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg2.extensions import cursor as Cursor

from pipeline.store.copying import moment
from pipeline.store.expected import SPANS
from pipeline.topology.model import Change

_LINKS_OF_HOST = "SELECT id FROM store.link WHERE src_host = %(name)s OR dst_host = %(name)s"
_LINKS_OF_DOMAIN = (
    "SELECT id FROM store.link WHERE right('.' || src_host, length(%(dotted)s)) = %(dotted)s"
    " OR right('.' || dst_host, length(%(dotted)s)) = %(dotted)s"
)
# The window that holds the change is touched as well.
_STALE = (
    "UPDATE store.{table} SET stale = true WHERE {key} = ANY(%s) AND NOT stale"
    " AND window_start > %s::timestamptz - interval '{span}' AND window_start < %s::timestamptz"
)
_LINKS_OF_ENDPOINT = (
    "SELECT DISTINCT link_id FROM store.{table} WHERE (lower(src_rse) = %(name)s OR lower(dst_rse) = %(name)s)"
    " AND {time} >= %(begin)s AND {time} < %(end)s"
)


def mark_stale(cursor: Cursor, changes: Iterable[Change]) -> int:
    """Mark all windows that a change of the topology touches; how many base windows were newly marked."""
    marked = 0
    for change in changes:
        links = _links(cursor, change)
        if links:
            marked += _mark(cursor, links, change)
    return marked


def _links(cursor: Cursor, change: Change) -> list[int]:
    values = {
        "name": change.name,
        "dotted": f".{change.name}",
        "begin": moment(change.from_ms),
        "end": moment(change.to_ms),
    }
    if change.kind == "endpoint":
        found: set[int] = set()
        for table, time in (("start", "event_at"), ("transfer", "ended_at")):
            cursor.execute(_LINKS_OF_ENDPOINT.format(table=table, time=time), values)
            found.update(number for (number,) in cursor.fetchall())
        return sorted(found)
    cursor.execute(_LINKS_OF_HOST if change.kind == "host" else _LINKS_OF_DOMAIN, values)
    return sorted(number for (number,) in cursor.fetchall())


_FLOWS_OF_LINKS = """
SELECT DISTINCT f.id FROM store.link AS l JOIN store.flow AS f USING (technology, fts, vo, src_site, dst_site)
WHERE l.id = ANY(%s)
"""


def _mark(cursor: Cursor, links: list[int], change: Change) -> int:
    # A flow tells no hosts: those between the sites of the links are marked, which may be more than hold their
    # transfers and never fewer.
    cursor.execute(_FLOWS_OF_LINKS, (links,))
    flows = [number for (number,) in cursor.fetchall()]
    marked = 0
    for width, span in SPANS.items():
        touched = (moment(change.from_ms), moment(change.to_ms))
        cursor.execute(_STALE.format(table=f"flow_{width}", key="flow_id", span=span), (flows, *touched))
        cursor.execute(_STALE.format(table=f"link_{width}", key="link_id", span=span), (links, *touched))
        if width == "10m":
            marked = cursor.rowcount
    return marked
