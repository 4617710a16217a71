"""Channels of FTS: is one full, or slow? What FTS itself says of its queues stands beside what was transferred."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.columns import Kind
from pipeline.store.queries.queue_lines import Queue, queue_lines
from pipeline.web import asks
from pipeline.web.context import Context
from pipeline.web.pages.absent import absent, must_know
from pipeline.web.pages.axis import from_datetime
from pipeline.web.pages.figures import PicturePage, figures
from pipeline.web.pages.frame import Frame, like
from pipeline.web.pages.lines import Plot, plot
from pipeline.web.parameters import Common, ErrorParameters, Listed, Ranked, SummaryParameters
from pipeline.web.problems import bad_parameter

MOST_CHANNELS = 200
MOST_LINKS = 50
MOST_LINES = 6
_MEASURED: tuple[tuple[str, str, Kind], ...] = (
    ("active", "Active", "count"),
    ("ready", "Ready", "count"),
    ("ratio", "Active to limit", "percent"),
)
"""What is drawn: measure, title, kind."""


def address_of(frame: Frame, name: str) -> str:
    """The page of a channel."""
    return frame.url(f"/channels/{quote(name, safe='')}", channel=None)


def channels(context: Context, frame: Frame, asked: Common) -> dict[str, Any]:
    """Channels with most bytes, and the links that had traffic in each."""
    rows = list(asks.channels(context, like(asked, Ranked, limit=MOST_CHANNELS)).records())
    return {
        "rows": rows,
        "absent": None if rows else absent(context, frame),
        "most": MOST_CHANNELS,
        "address_of": address_of,
    }


def channel(context: Context, frame: Frame, asked: PicturePage, name: str) -> dict[str, Any]:
    """One channel; raises Problem 404 with near names for one that nobody knows."""
    if asked.channel:
        raise bad_parameter("channel", "the address of the page names the channel: leave it out")
    must_know(context, "channel", name, lambda near: address_of(frame, near))
    own = like(asked, Common, channel=[name])
    totals = list(asks.summary(context, like(own, SummaryParameters)).records())
    links = asks.links(context, like(own, Ranked, by="src_host,dst_host", limit=MOST_LINKS))
    return {
        "name": name,
        "totals": totals,
        "absent": None if totals else absent(context, frame, own),
        "figures": figures(context, own, asked.hidden),
        "links": list(links.records()),
        "more_links": links.next_cursor is not None,
        "queues": _queues(context, own, name, asked.hidden),
        "errors": asks.errors(context, like(own, ErrorParameters, limit=10)),
    }


def _queues(context: Context, asked: Common, name: str, hidden: Collection[str]) -> list[tuple[str, Plot]]:
    """What FTS said of the channel over time: of its totals where it tells them, else of its busiest links.

    The same jobs stand under every VO and channel of a pair, so nothing is added up.
    """
    status = asks.queue_status(context, like(asked, Listed, sort="-active_max", limit=1000))
    rows = list(status.records())
    chosen = [row for row in rows if row["src_host"] is None and row["dst_host"] is None] or rows
    queues = [Queue(*(row[part] for part in Queue._fields)) for row in chosen[:MOST_LINES]]
    span = context.span(asked)
    step_ms = WIDTHS_MS[span.width]
    lines = queue_lines(context.connection, name, queues, span.from_ms, span.to_ms, step_ms)
    found = []
    for measure, title, kind in _MEASURED:
        series = {
            _name(queue): {from_datetime(fill.start): getattr(fill, measure) for fill in fills}
            for queue, fills in zip(queues, lines, strict=True)
        }
        if any(value is not None for each in series.values() for value in each.values()):
            found.append((title, plot(series, span, step_ms, kind=kind, now_ms=context.now_ms, hidden=hidden)))
    return found


def _name(queue: Queue) -> str:
    ends = f"{queue.src_host} → {queue.dst_host}" if queue.src_host or queue.dst_host else "all links"
    return " · ".join(str(part) for part in (queue.fts, queue.vo or "all VOs", ends) if part)
