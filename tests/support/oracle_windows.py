"""The oracle's windows: what each start and each complete adds to which cell.

A cell is a plain dictionary with the column names of the ``report`` views. Every width is counted on its own, from
the transfers, so that hours and days check the sums of ten-minute windows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from tests.support.oracle_messages import STAGES, Complete, Start, technology_of

WIDTHS_MS = {"10m": 600_000, "1h": 3_600_000, "1d": 86_400_000}
MEASURES = (*STAGES, "throughput")
COUNTS = ("started", "ok", "failed", "aborted", "bytes", "bytes_ok", "bytes_moved")
WEEK_MS = 7 * 86_400_000
CLOCK_TOLERANCE_MS = 60_000

Cell = dict[str, Any]
Site = tuple[str, str]
Lookup = Callable[[str, int], Site]
"""(host, instant in ms) -> (site, country)."""


class LinkKey(NamedTuple):
    window_start_ms: int
    technology: str
    fts: str
    vo: str
    channel: str
    src_host: str
    dst_host: str
    src_site: str
    dst_site: str
    src_country: str
    dst_country: str


class ChannelKey(NamedTuple):
    window_start_ms: int
    technology: str
    fts: str
    vo: str
    channel: str


def _edges() -> list[int]:
    """The smallest value of each histogram bin: 0 to 8 one by one, then eight equal steps an octave."""
    edges = list(range(8))
    octave = 8
    while octave < 2**63:
        edges.extend(octave + octave // 8 * step for step in range(8))
        octave *= 2
    return edges


EDGES = _edges()


def bin_of(value: int) -> int:
    """The histogram bin of a whole value of 0 or more."""
    return bisect_right(EDGES, value) - 1


def durations(complete: Complete) -> dict[str, int | None]:
    """ms of each stage; ``None`` where an end is missing, lies before its start, or more than 7 days after it."""
    found: dict[str, int | None] = {}
    for stage, (first, last) in STAGES.items():
        begin, end = complete.times.get(first), complete.times.get(last)
        usable = begin is not None and end is not None and 0 <= end - begin <= WEEK_MS
        found[stage] = end - begin if usable and begin is not None and end is not None else None
    return found


def measures(complete: Complete) -> dict[str, int]:
    """The measures that a transfer has: ms of each stage, and bytes a second over its streaming time."""
    found = {name: value for name, value in durations(complete).items() if value is not None}
    if found.get("streaming"):
        found["throughput"] = complete.bytes * 1000 // found["streaming"]
    return found


def interval_fate(complete: Complete) -> str:
    """``spread`` over the streaming interval, else why all bytes stay in the window of the event time."""
    begin, end = complete.times.get("timestamp_tr_st"), complete.times.get("timestamp_tr_comp")
    if begin is None or end is None:
        return "none"
    if end <= begin:
        return "empty"
    if end - begin > WEEK_MS or end > complete.event_ms + CLOCK_TOLERANCE_MS:
        return "ignored"
    return "spread"


def moved(complete: Complete, width_ms: int) -> Iterator[tuple[int, int]]:
    """(window start, bytes moved in that window), whole bytes whose sum is the total."""
    if interval_fate(complete) != "spread":
        yield complete.event_ms // width_ms * width_ms, complete.bytes
        return
    begin, end = complete.times["timestamp_tr_st"], complete.times["timestamp_tr_comp"]
    before = 0
    for window in range(begin // width_ms * width_ms, end, width_ms):
        elapsed = min(window + width_ms, end) - begin
        until = complete.bytes * elapsed // (end - begin)
        yield window, until - before
        before = until


def link_windows(
    starts: Iterable[Start], completes: Iterable[Complete], lookup: Lookup, width_ms: int
) -> dict[LinkKey, Cell]:
    """All link windows of one width. A moved share of 0 bytes makes no row of its own."""
    cells: dict[LinkKey, Cell] = {}
    for start in starts:
        _cell(cells, _key(start, start.event_ms // width_ms * width_ms, lookup))["started"] += 1
    for complete in completes:
        cell = _cell(cells, _key(complete, complete.event_ms // width_ms * width_ms, lookup))
        cell[complete.state] += 1
        cell["bytes"] += complete.bytes
        if complete.state == "ok":
            cell["bytes_ok"] += complete.bytes
            for name, value in measures(complete).items():
                _observe(cell, name, value)
        for window, share in moved(complete, width_ms):
            if share:
                _cell(cells, _key(complete, window, lookup))["bytes_moved"] += share
    return cells


def channel_windows(links: dict[LinkKey, Cell]) -> dict[ChannelKey, Cell]:
    """The channel windows that link windows add up to, with ``links``: their distinct pairs of hosts."""
    cells: dict[ChannelKey, Cell] = {}
    pairs: dict[ChannelKey, set[tuple[str, str]]] = {}
    for key, link in links.items():
        channel = ChannelKey(*key[:5])
        total = cells.setdefault(channel, _empty())
        for name in COUNTS:
            total[name] += link[name]
        for name in MEASURES:
            _merge(total, link, name)
        pairs.setdefault(channel, set()).add((key.src_host, key.dst_host))
    for channel, total in cells.items():
        total["links"] = len(pairs[channel])
    return cells


def _key(message: Start | Complete, window: int, lookup: Lookup) -> LinkKey:
    src_site, src_country = lookup(message.src_host, message.event_ms)
    dst_site, dst_country = lookup(message.dst_host, message.event_ms)
    return LinkKey(
        window,
        technology_of(message),
        message.fts,
        message.vo,
        message.channel,
        message.src_host,
        message.dst_host,
        src_site,
        dst_site,
        src_country,
        dst_country,
    )


def _cell(cells: dict[LinkKey, Cell], key: LinkKey) -> Cell:
    return cells.setdefault(key, _empty())


def _empty() -> Cell:
    cell: Cell = dict.fromkeys(COUNTS, 0)
    for name in MEASURES:
        cell |= {f"{name}_count": 0, f"{name}_sum": 0, f"{name}_min": None, f"{name}_max": None}
        cell[f"{name}_hist"] = Counter()
    return cell


def _observe(cell: Cell, name: str, value: int) -> None:
    lowest, highest = cell[f"{name}_min"], cell[f"{name}_max"]
    cell[f"{name}_count"] += 1
    cell[f"{name}_sum"] += value
    cell[f"{name}_min"] = value if lowest is None else min(lowest, value)
    cell[f"{name}_max"] = value if highest is None else max(highest, value)
    cell[f"{name}_hist"][bin_of(value)] += 1


def _merge(total: Cell, part: Cell, name: str) -> None:
    if not part[f"{name}_count"]:
        return
    total[f"{name}_count"] += part[f"{name}_count"]
    total[f"{name}_sum"] += part[f"{name}_sum"]
    extremes = [cell for cell in (total, part) if cell[f"{name}_min"] is not None]
    total[f"{name}_min"] = min(cell[f"{name}_min"] for cell in extremes)
    total[f"{name}_max"] = max(cell[f"{name}_max"] for cell in extremes)
    total[f"{name}_hist"].update(part[f"{name}_hist"])
