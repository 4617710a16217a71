"""Windows of flows: what an activity moves from one VO endpoint to another.

One key serves the windows of activities and those of endpoints, which are sums of it: every message is counted once
more, not twice. A flow has counts and bytes, no stages.
"""

from __future__ import annotations

from typing import NamedTuple

from pipeline.stages.windows import (
    ABORTED_COUNT,
    BASE_MS,
    BYTES,
    BYTES_MOVED,
    BYTES_OK,
    COUNTERS,
    FAILED_COUNT,
    OK_COUNT,
    STARTED,
    spread,
)
from schemas.events import FAILED, INTERVAL_USED, OK, Complete

FLOW_COUNTERS = COUNTERS[: BYTES_MOVED + 1]
"""What is counted of a flow: the first of the counters of a link, with the same meaning."""

_NOTHING = [0] * len(FLOW_COUNTERS)


class FlowKey(NamedTuple):
    """What a flow is counted by; ``""`` stands for none (no FTS)."""

    technology: str
    fts: str
    vo: str
    activity: str
    src_site: str
    dst_site: str
    src_endpoint: str
    dst_endpoint: str


FlowDeltas = dict[FlowKey, dict[int, list[int]]]
"""Per flow, FLOW_COUNTERS of each window it touches, by window start in ms."""


def add_start_to_flow(windows: dict[int, list[int]], event_ms: int) -> None:
    """Count a start in its window."""
    _counters(windows, event_ms - event_ms % BASE_MS)[STARTED] += 1


def add_complete_to_flow(windows: dict[int, list[int]], complete: Complete) -> None:
    """Count a finished transfer in its window and spread its bytes, as ``windows.add_complete`` does for links."""
    event_ms, size, state = complete.event_ms, complete.bytes, complete.state
    window = event_ms - event_ms % BASE_MS
    counters = _counters(windows, window)
    counters[BYTES] += size
    if state == OK:
        counters[OK_COUNT] += 1
        counters[BYTES_OK] += size
    else:
        counters[FAILED_COUNT if state == FAILED else ABORTED_COUNT] += 1
    if complete.interval != INTERVAL_USED or (
        complete.moved_from_ms >= window and complete.moved_to_ms <= window + BASE_MS
    ):
        counters[BYTES_MOVED] += size
    else:
        for start, moved in spread(size, complete.moved_from_ms, complete.moved_to_ms):
            _counters(windows, start)[BYTES_MOVED] += moved


def _counters(windows: dict[int, list[int]], window: int) -> list[int]:
    counters = windows.get(window)
    if counters is None:
        counters = windows[window] = _NOTHING[:]
    return counters
