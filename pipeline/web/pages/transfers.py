"""Single transfers, for readers: which files are behind a number, and what happened to one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from pipeline.store.queries.columns import Kind
from pipeline.store.session import Unavailable
from pipeline.units import duration, human
from pipeline.web import asks
from pipeline.web.access import Role
from pipeline.web.asks.messages import Lookup
from pipeline.web.context import Context
from pipeline.web.pages.axis import Size, Tick
from pipeline.web.pages.frame import Frame
from pipeline.web.parameters import TransferParameters
from pipeline.web.table import Table

SIZE = Size(640, 22)
"""Of a row of lengths."""

GROUPS = (
    ("What and whose", ("technology", "vo", "activity", "fts", "channel", "channel_type", "protocol", "ipver")),
    ("Identity", ("transfer_id", "job_id", "file_id", "retry", "retry_max", "user_hash")),
    ("From", ("src_url", "src_host", "src_site", "src_country", "src_endpoint", "src_status")),
    ("To", ("dst_url", "dst_host", "dst_site", "dst_country", "dst_endpoint", "dst_status")),
    ("Failure", ("error_scope", "error_phase", "error_category", "error_code", "error_template", "error_message")),
    ("Start message", ("start_message_at", "agent_fqdn", "start_transfer_id", "start_ref")),
    ("Complete message", ("started_at", "ended_at", "state", "bytes", "file_size", "throughput", "queue_wait_ms")),
    ("Received", ("received_at", "complete_ref", "topology_revision", "direction", "locality")),
)
"""Columns of an attempt as a page shows them; lengths of stages have a picture of their own."""


MOST_SHOWN = 20_000
"""Characters of a message on a page; one may have 16 MB."""


class Length(NamedTuple):
    """A bar that is as long as a stage was."""

    name: str
    width: float
    colour: str
    text: str


@dataclass
class Lengths:
    """Rows one below the other over one scale."""

    size: Size
    rows: list[Length]
    ticks: list[Tick]


_STAGES = (
    ("whole attempt", "total_ms", "s7"),
    ("source checksum", "checksum_src_ms", "s2"),
    ("SRM preparation", "srm_prep_ms", "s1"),
    ("streaming", "streaming_ms", "s0"),
    ("SRM finalisation", "srm_fin_ms", "s3"),
    ("destination checksum", "checksum_dst_ms", "s4"),
)
_STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 43_200, 86_400)
_STEPS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, *(seconds * 1000 for seconds in _STEPS_S))
_MOST_TICKS = 6


def transfers(context: Context, asked: TransferParameters) -> dict[str, Any]:
    """A page of finished transfers, newest first; raises Problem 401 for who is no reader."""
    return {"transfers": asks.transfers(context, asked), "asked": asked, "address_of": address_of}


def address_of(frame: Frame, identity: str) -> str:
    """The page of a transfer."""
    return frame.url(f"/transfers/{quote(identity, safe='')}")


def transfer(context: Context, identity: str, lookup: Lookup | None) -> dict[str, Any]:
    """All attempts of a transfer, the newest first, for operators with both messages; raises Problem 401 for who is no
    reader, 404 for no such id."""
    table = asks.transfer(context, identity)
    attempts = list(table.records())
    kinds = {column.name: column.kind for column in table.columns}
    told, away = _messages(context, identity, table, lookup)
    return {
        "identity": identity,
        "messages": told,
        "away": away,
        "most_shown": MOST_SHOWN,
        "attempts": [(row, lengths(row), _groups(row, kinds)) for row in attempts],
    }


def _messages(
    context: Context, identity: str, attempts: Table, lookup: Lookup | None
) -> tuple[dict[datetime, list[dict[str, Any]]], str]:
    """The messages of each attempt by its end, or why there are none to show."""
    told: dict[datetime, list[dict[str, Any]]] = {}
    if context.role < Role.OPERATOR:
        return told, ""
    try:
        for row in asks.messages_of(context, identity, attempts, lookup).records():
            told.setdefault(row["ended_at"], []).append(row)
    except Unavailable as error:  # the page has more to show
        return {}, str(error)
    return told, ""


def _groups(row: dict[str, Any], kinds: dict[str, Kind]) -> list[tuple[str, list[tuple[str, str]]]]:
    """What an attempt has of each group of columns, as (name, text); groups of which it has nothing are left out."""
    found = [
        (title, [(name, human(row[name], kinds[name])) for name in names if row[name] is not None])
        for title, names in GROUPS
    ]
    return [(title, fields) for title, fields in found if fields]


def lengths(row: dict[str, Any]) -> Lengths | None:
    """How long an attempt and its stages took; None for one that tells no length.

    Where in the attempt a stage lay is not kept, so all begin at the left: together they may be longer than the
    attempt, because they overlap.
    """
    found = [(name, row[column], colour) for name, column, colour in _STAGES if row[column] is not None]
    if not found:
        return None
    longest = max(1, *(length for _, length, _ in found))
    scale = SIZE.width / longest
    rows = [Length(name, round(length * scale, 1), colour, duration(length)) for name, length, colour in found]
    step = next((step for step in _STEPS_MS if longest / step <= _MOST_TICKS), longest)
    ticks = [Tick(round(at * scale, 1), duration(at)) for at in range(0, longest + 1, step)]
    return Lengths(SIZE, rows, ticks)
