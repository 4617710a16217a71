"""Both messages of a transfer as they came, for operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.store.queries.columns import Column
from pipeline.store.queries.instants import to_datetime
from pipeline.web.access import Role, require
from pipeline.web.asks.transfers import transfer
from pipeline.web.context import Context
from pipeline.web.table import Table
from schemas.envelope import RawMessage

Lookup = Callable[[Sequence[str]], Mapping[str, RawMessage]]
"""Messages by their references, as far as they are still kept. Raises Unavailable."""

_COLUMNS = (
    Column("ended_at", "time"),
    Column("message", "text"),
    Column("ref", "text"),
    Column("topic", "text"),
    Column("received_at", "time"),
    Column("headers", "headers"),
    Column("body", "text"),
    Column("missing", "text"),
)


def messages(context: Context, identity: str, lookup: Lookup | None) -> Table:
    """For each attempt of a transfer id, newest first, its start, if it has one, and its complete: ``body`` as it came
    (bytes that are no UTF-8 replaced), or in ``missing`` why it cannot be shown.

    Raises Problem 401 or 403 for who is no operator, 404 when there is no such transfer; Unavailable.
    """
    require(context.caller, Role.OPERATOR)
    return messages_of(context, identity, transfer(context, identity), lookup)


def messages_of(context: Context, identity: str, attempts: Table, lookup: Lookup | None) -> Table:
    """The same for attempts that were asked for already; who calls it sees to the role. Raises Unavailable."""
    context.note("read messages", identity)
    wanted = [
        (row["ended_at"], message, row[f"{message}_ref"])
        for row in attempts.records()
        for message in ("start", "complete")
        if row[f"{message}_ref"] is not None
    ]
    found = {} if lookup is None else lookup([ref for _, _, ref in wanted])
    rows = [(ended_at, message, ref, *_shown(found.get(ref), lookup)) for ended_at, message, ref in wanted]
    return Table(_COLUMNS, list(rows))


def _shown(found: RawMessage | None, lookup: Lookup | None) -> tuple[Any, ...]:
    if found is not None:
        received_at = None if found.received_ms is None else to_datetime(found.received_ms)
        return found.topic, received_at, dict(found.headers), found.body.decode(errors="replace"), None
    if lookup is None:
        return None, None, None, None, "this server was not told where Kafka is: set kafka_bootstrap"
    return None, None, None, None, "Kafka does not keep it: it is too old, or came from a file"
