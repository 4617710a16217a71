"""Hosts as finished transfers named them and the topology placed them, beside those that it names and nobody used."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from pipeline.stages.windows import BASE_MS
from pipeline.store.queries.conditions import clauses
from pipeline.store.queries.instants import ceil_ms, floor_ms, to_datetime
from pipeline.store.queries.question import Question
from pipeline.store.queries.reports import HOSTS
from pipeline.store.queries.statement import Statement, between, ordered, view

_UNUSED = "host"
"""The status of a host that the topology names by itself."""


def hosts_statement(question: Question) -> Statement:
    """One row for each place and status of a host; ``since`` is from when on the topology puts it there, if it does.

    Hosts of the topology in use without a transfer in the range have no technology and no ``last_seen``.
    """
    from_ms = None if question.from_ms is None else floor_ms(question.from_ms, BASE_MS)
    to_ms = None if question.to_ms is None else ceil_ms(question.to_ms, BASE_MS)
    table = view("host_10m", ("window_start", *HOSTS.keys, "transfers", "bytes"))
    keys = [table.c[name] for name in HOSTS.keys]
    seen = (
        sa.select(
            *keys,
            sa.func.min(table.c.window_start).label("first_seen"),
            sa.func.max(table.c.window_start).label("last_seen"),
            sa.func.sum(table.c.transfers).label("transfers"),
            sa.func.sum(table.c.bytes).label("bytes"),
        )
        .where(*between(table.c.window_start, from_ms, to_ms))
        .group_by(*keys)
        .cte("seen")
    )
    named = _named(question.now_ms)
    both = seen.outerjoin(named, sa.and_(seen.c.host == named.c.host, seen.c.site == named.c.site), full=True)
    columns: dict[str, Any] = {
        "technology": seen.c.technology,
        **{name: sa.func.coalesce(seen.c[name], named.c[name]) for name in ("host", "site", "country")},
        "status": sa.func.coalesce(seen.c.status, sa.cast(sa.literal(_UNUSED), sa.Text)),
        "since": named.c.since,
        "first_seen": seen.c.first_seen,
        "last_seen": seen.c.last_seen,
        "transfers": sa.func.coalesce(seen.c.transfers, 0),
        "bytes": sa.func.coalesce(seen.c.bytes, 0),
    }
    rows = sa.select(*(found.label(name) for name, found in columns.items())).select_from(both).subquery("host")
    expressions = {column.name: rows.c[column.name] for column in HOSTS.columns}
    select = (
        sa.select(*(expressions[column.name] for column in HOSTS.columns))
        .where(*clauses(question.where, expressions))
        .order_by(*ordered(question.order, expressions), *(rows.c[name] for name in ("host", "site", "status")))
    )
    return Statement(select, HOSTS.columns, from_ms, to_ms)


def _named(now_ms: int) -> sa.CTE:
    """Hosts that the topology in use names now, one row a site; the VOs that a host is named for are put together."""
    table = view("topology_host", ("host", "site", "country", "valid_from", "valid_to"))
    now = to_datetime(now_ms)
    holds = sa.and_(
        sa.or_(table.c.valid_from.is_(None), table.c.valid_from <= now),
        sa.or_(table.c.valid_to.is_(None), table.c.valid_to > now),
    )
    # One entry without a beginning says that it was always so.
    since = sa.case((sa.func.bool_and(table.c.valid_from.is_not(None)), sa.func.min(table.c.valid_from)))
    return (
        sa.select(table.c.host, table.c.site, sa.func.max(table.c.country).label("country"), since.label("since"))
        .where(holds)
        .group_by(table.c.host, table.c.site)
        .cte("named")
    )
