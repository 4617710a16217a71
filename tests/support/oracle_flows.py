"""The oracle's windows of VO endpoints and activities, and its failures by kind.

Endpoints and activities are counted each on its own, straight from the messages. Topologies of tests that use the
oracle hold no VO endpoints: an endpoint is the one that the message names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tests.support.oracle_messages import Complete, Start, technology_of
from tests.support.oracle_windows import COUNTS, Cell, Lookup, moved

BASE_MS = 600_000


class EndpointKey(NamedTuple):
    window_start_ms: int
    technology: str
    fts: str
    vo: str
    src_endpoint: str
    dst_endpoint: str


class ActivityKey(NamedTuple):
    window_start_ms: int
    technology: str
    fts: str
    vo: str
    activity: str
    src_site: str
    dst_site: str


class ErrorKey(NamedTuple):
    window_start_ms: int
    technology: str
    fts: str
    vo: str
    channel: str
    src_host: str
    dst_host: str
    scope: str
    phase: str
    category: str
    code: str
    template: str
    src_site: str
    dst_site: str
    src_country: str
    dst_country: str


def endpoint_windows(
    starts: Iterable[Start], completes: Iterable[Complete], width_ms: int
) -> dict[tuple[Any, ...], Cell]:
    """Counts and bytes by VO endpoints."""

    def key(message: Start | Complete, window: int) -> EndpointKey:
        src, dst = message.src_endpoint or "unknown", message.dst_endpoint or "unknown"
        return EndpointKey(window, technology_of(message), message.fts, message.vo, src, dst)

    return _counted(starts, completes, key, width_ms)


def activity_windows(
    starts: Iterable[Start], completes: Iterable[Complete], lookup: Lookup, width_ms: int
) -> dict[tuple[Any, ...], Cell]:
    """Counts and bytes by activity and sites."""

    def key(message: Start | Complete, window: int) -> ActivityKey:
        src_site, _ = lookup(message.src_host, message.event_ms)
        dst_site, _ = lookup(message.dst_host, message.event_ms)
        return ActivityKey(
            window, technology_of(message), message.fts, message.vo, message.activity, src_site, dst_site
        )

    return _counted(starts, completes, key, width_ms)


def _counted(
    starts: Iterable[Start],
    completes: Iterable[Complete],
    key: Callable[[Start | Complete, int], tuple[Any, ...]],
    width_ms: int,
) -> dict[tuple[Any, ...], Cell]:
    cells: dict[tuple[Any, ...], Cell] = {}

    def cell(message: Start | Complete, instant: int) -> Cell:
        return cells.setdefault(key(message, instant // width_ms * width_ms), dict.fromkeys(COUNTS, 0))

    for start in starts:
        cell(start, start.event_ms)["started"] += 1
    for complete in completes:
        ended = cell(complete, complete.event_ms)
        ended[complete.state] += 1
        ended["bytes"] += complete.bytes
        ended["bytes_ok"] += complete.bytes if complete.state == "ok" else 0
        for window, share in moved(complete, width_ms):
            if share:
                cell(complete, window)["bytes_moved"] += share
    return cells


def error_windows(completes: Iterable[Complete], lookup: Lookup) -> dict[ErrorKey, Cell]:
    """Failed transfers by kind: ``count``, and as ``samples`` the messages of those that ended first, of which any may
    be shown (the dedupe hash that decides among them is the product's own)."""
    cells: dict[ErrorKey, Cell] = {}
    failed = [complete for complete in completes if complete.state == "failed"]
    for c in sorted(failed, key=lambda complete: complete.event_ms):
        src_site, src_country = lookup(c.src_host, c.event_ms)
        dst_site, dst_country = lookup(c.dst_host, c.event_ms)
        key = ErrorKey(
            c.event_ms // BASE_MS * BASE_MS,
            "fts",
            *(c.fts, c.vo, c.channel, c.src_host, c.dst_host),
            *(c.error_scope, c.error_phase, c.error_category, c.error_code, template_of(c.error_message)),
            *(src_site, dst_site, src_country, dst_country),
        )
        cell = cells.setdefault(key, {"count": 0, "first_ms": c.event_ms, "samples": set()})
        cell["count"] += 1
        if c.event_ms == cell["first_ms"]:
            cell["samples"].add(c.error_message)
    return cells


TEMPLATES = {
    "SOURCE SRM_GET_TURL srm-ifce err: .+ File does not exist: .+": "SOURCE SRM_GET_TURL srm-ifce err: Communication"
    " error on send, err: [SE][PrepareToGet][SRM_INVALID_PATH] File does not exist: <n>",
    "DESTINATION OVERWRITE .+": "DESTINATION OVERWRITE Destination file exists and overwrite is not enabled",
    "SOURCE CHECKSUM HTTP 403 .+": "SOURCE CHECKSUM HTTP <n> : Permission refused , request id <n>",
    "DESTINATION MAKE_PARENT .+": "DESTINATION MAKE_PARENT [SE][Mkdir][SRM_NO_FREE_SPACE] no space left for"
    " reservation <n>",
    r"TRANSFER \[110\] .+": "TRANSFER [<n>] TRANSFER Operation timed out after <n> bytes, no progress on the data"
    " channel",
    "TRANSFER ERROR: Copy failed .+": "TRANSFER ERROR: Copy failed (<n>rd pull). Last attempt: failure: connection to"
    " door <n> closed by peer",
    r"TRANSFER \[5\] .+": "TRANSFER [<n>] DESTINATION R\ufffdponse inattendue du serveur <n>",
    "DESTINATION CHECKSUM MISMATCH .+": "DESTINATION CHECKSUM MISMATCH User defined checksum and destination checksum"
    " do not match <n>",
    r"DESTINATION \[93\] SRM_PUT_DONE .+": "DESTINATION [<n>] SRM_PUT_DONE Error reported from srm_ifce : <n>"
    " [SE][PutDone][SRM_FAILURE]",
    "": "",
}
"""What the simulator's failures say -> their templates, written by hand. Tests with other messages add theirs."""


def template_of(message: str) -> str:
    """The template of one of the known messages."""
    (found,) = (template for pattern, template in TEMPLATES.items() if re.fullmatch(pattern, message))
    return found
