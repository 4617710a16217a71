"""The reports that can be asked for, each with the columns of its ``report`` view and what may be done with them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.queries.columns import Column, Kind
from pipeline.store.queries.errors import BadQuery
from schemas.events import FTS, STAGES

WIDTHS = tuple(WIDTHS_MS)

REPORTS_FAILURES = (FTS,)
"""Technologies whose records tell failures: efficiency is theirs alone."""

CHANNEL_KEYS = ("technology", "fts", "vo", "channel")
LINK_KEYS = (*CHANNEL_KEYS, "src_host", "dst_host", "src_site", "dst_site", "src_country", "dst_country")
COUNTS = ("started", "ok", "failed", "aborted")
BYTES = ("bytes", "bytes_ok", "bytes_moved")


def stage_kind(stage: str) -> Kind:
    """Stages are durations, but for the throughput of a transfer's streaming."""
    return "rate" if stage == "throughput" else "ms"


@dataclass(frozen=True)
class Report:
    """A report: where its rows are, which columns it has, by which it can be grouped.

    ``time`` is the column that --from and --to mean. ``keys`` can be grouped by, and ``totals`` are then added up.
    ``screen`` names the columns of a table on a terminal. ``windows`` tells views with one row a window and key, of
    any width. ``stages`` are the durations and rates whose quantiles can be had. ``counts`` tells rows that are
    counted already, in ``count``. ``sides`` names the columns that every group has besides those that the user groups
    by. ``compares`` tells that windows are compared with each other: there is no row a window, and the width matters.
    """

    name: str
    view: str
    time: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    screen: tuple[str, ...]
    totals: tuple[str, ...] = ()
    windows: bool = False
    stages: tuple[str, ...] = ()
    counts: bool = False
    sides: tuple[str, ...] = ()
    compares: bool = False

    def column(self, name: str) -> Column:
        """The column that a question names; raises BadQuery, with all known ones, when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise BadQuery(_unknown(f"{self.name} have no column {name!r}", name, (column.name for column in self.columns)))

    def key(self, name: str) -> str:
        """The name, if rows can be grouped by it; raises BadQuery, with all that they can, when not."""
        groups = (self.time, *self.keys) if self.windows and not self.compares else self.keys
        if name not in groups:
            raise BadQuery(_unknown(f"{self.name} cannot be grouped by {name!r}", name, groups))
        return name


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    names = tuple(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{what}: {hint}known are {', '.join(names)}"


def _columns(kind: Kind, names: Iterable[str]) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name in names)


_MEASURES = (
    *_columns("count", COUNTS),
    Column("efficiency", "ratio"),
    *_columns("bytes", BYTES),
    Column("throughput", "rate"),
)
_STATE = (Column("final_at", "time"), Column("updated_at", "time"), Column("stale", "flag"))
_SCREEN = (*COUNTS, "efficiency", "bytes", "throughput")
_ENDS = ("src_host", "dst_host", "src_site", "dst_site")

LINKS = Report(
    name="links",
    view="link",
    time="window_start",
    columns=(Column("window_start", "time"), *_columns("text", LINK_KEYS), *_MEASURES, *_STATE),
    keys=LINK_KEYS,
    screen=("window_start", "vo", "src_site", "src_host", "dst_site", "dst_host", *_SCREEN),
    windows=True,
    stages=STAGES,
)

CHANNELS = Report(
    name="channels",
    view="channel",
    time="window_start",
    columns=(
        Column("window_start", "time"),
        *_columns("text", CHANNEL_KEYS),
        Column("links", "count"),
        *_MEASURES,
        *_STATE,
    ),
    keys=CHANNEL_KEYS,
    screen=("window_start", "fts", "vo", "channel", "links", *_SCREEN),
    windows=True,
    stages=STAGES,
)

_FLOW_KEYS = ("technology", "fts", "vo")
_ENDPOINT_KEYS = (*_FLOW_KEYS, "src_endpoint", "dst_endpoint")
_ACTIVITY_KEYS = (*_FLOW_KEYS, "activity", "src_site", "dst_site")

ENDPOINTS = Report(
    name="endpoints",
    view="endpoint",
    time="window_start",
    columns=(Column("window_start", "time"), *_columns("text", _ENDPOINT_KEYS), *_MEASURES, *_STATE),
    keys=_ENDPOINT_KEYS,
    screen=("window_start", "vo", "src_endpoint", "dst_endpoint", *_SCREEN),
    windows=True,
)

ACTIVITIES = Report(
    name="activities",
    view="activity",
    time="window_start",
    columns=(Column("window_start", "time"), *_columns("text", _ACTIVITY_KEYS), *_MEASURES, *_STATE),
    keys=_ACTIVITY_KEYS,
    screen=("window_start", "vo", "activity", "src_site", "dst_site", *_SCREEN),
    windows=True,
)

PLACES = LINK_KEYS[len(CHANNEL_KEYS) :]
_SHARE = (Column("share", "ratio"), Column("vos", "count"))
_VO_KEYS = ("technology", *PLACES, "vo")
_VO_SITE_KEYS = ("technology", "site", "direction", "vo")

VOS = Report(
    name="vos",
    view="vo_link",
    time="window_start",
    columns=(Column("window_start", "time"), *_columns("text", _VO_KEYS), *_MEASURES, *_SHARE, *_STATE),
    keys=_VO_KEYS,
    screen=("window_start", "src_site", "src_host", "dst_site", "dst_host", "vo", *_SCREEN, "share"),
    windows=True,
    sides=("vo",),
)

VO_SITES = Report(
    name="vo-sites",
    view="vo_site",
    time="window_start",
    columns=(Column("window_start", "time"), *_columns("text", _VO_SITE_KEYS), *_MEASURES, *_SHARE, *_STATE),
    keys=_VO_SITE_KEYS,
    screen=("window_start", "site", "direction", "vo", *_SCREEN, "share"),
    windows=True,
    sides=("vo",),
)

_PAIR = ("vo", "other_vo")
_PAIR_KEYS = ("technology", "fts", "channel", *PLACES)

VO_PAIRS = Report(
    name="vo-pairs",
    view="link",
    time="window_start",
    columns=(
        *_columns("text", (*_PAIR_KEYS, *_PAIR)),
        *_columns("count", ("windows", "together", "failing", "other_failing", "both_failing")),
        Column("failing_correlation", "correlation"),
        *_columns("ratio", ("efficiency_together", "efficiency_alone")),
        *_columns("bytes", ("bytes_together", "other_bytes_together")),
        Column("share", "ratio"),
        *_columns("rate", ("throughput_together", "throughput_alone")),
        Column("throughput_correlation", "correlation"),
    ),
    keys=_PAIR_KEYS,
    screen=(
        *("src_site", "src_host", "dst_site", "dst_host", "vo", "other_vo", "windows", "together", "failing"),
        *("both_failing", "failing_correlation", "efficiency_together", "efficiency_alone", "share"),
        *("throughput_together", "throughput_alone", "throughput_correlation"),
    ),
    windows=True,
    sides=_PAIR,
    compares=True,
)

KIND_OF_FAILURE = ("scope", "phase", "category", "code", "template")
_ERROR_KEYS = (*LINK_KEYS, *KIND_OF_FAILURE)

ERRORS = Report(
    name="errors",
    view="error_10m",
    time="window_start",
    columns=(
        Column("window_start", "time"),
        *_columns("text", _ERROR_KEYS),
        Column("id", "text"),
        Column("count", "count"),
        Column("sample", "text"),
    ),
    keys=("window_start", *_ERROR_KEYS),
    screen=("window_start", "vo", "src_host", "dst_host", "count", "category", "template"),
    counts=True,
)

_TRANSFER_WHO = ("technology", "fts", "agent_fqdn", "transfer_id", "start_transfer_id", "job_id", "file_id")
_TRANSFER_WHAT = (
    *("vo", "activity", "channel", "channel_type", "protocol", "ipver", "src_host", "dst_host", "src_url", "dst_url"),
    *("src_site", "dst_site", "src_country", "dst_country", "src_endpoint", "dst_endpoint", "src_status", "dst_status"),
)
_TRANSFER_ERROR = tuple(f"error_{part}" for part in ("scope", "phase", "category", "code", "template", "message"))

TRANSFERS = Report(
    name="transfers",
    view="transfer",
    time="ended_at",
    columns=(
        *_columns("text", _TRANSFER_WHO),
        *_columns("text", _TRANSFER_WHAT),
        Column("topology_revision", "count"),
        *_columns("time", ("start_message_at", "started_at", "ended_at")),
        Column("state", "text"),
        *_columns("bytes", ("bytes", "file_size")),
        *(Column(f"{stage}_ms", "ms") for stage in STAGES if stage_kind(stage) == "ms"),
        Column("queue_wait_ms", "ms"),
        Column("throughput", "rate"),
        *_columns("text", _TRANSFER_ERROR),
        *_columns("count", ("retry", "retry_max")),
        Column("user_hash", "text"),
        Column("received_at", "time"),
        *_columns("text", ("start_ref", "complete_ref", "direction", "locality")),
    ),
    keys=(*_TRANSFER_WHO, *_TRANSFER_WHAT, "state", *_TRANSFER_ERROR, "user_hash", "direction", "locality"),
    screen=(
        "ended_at",
        "state",
        "vo",
        "src_host",
        "dst_host",
        "bytes",
        "total_ms",
        "throughput",
        "error_category",
        "transfer_id",
    ),
    totals=("bytes",),
)

_IN_FLIGHT = ("fts", "agent_fqdn", "transfer_id", "job_id", "file_id", "vo", "activity", "channel", *_ENDS)

IN_FLIGHT = Report(
    name="in-flight",
    view="in_flight",
    time="started_at",
    columns=(
        *_columns("text", _IN_FLIGHT),
        Column("started_at", "time"),
        *_columns("flag", ("lost", "closed_by_state")),
    ),
    keys=(*_IN_FLIGHT, "lost", "closed_by_state"),
    screen=("started_at", "lost", "vo", "src_host", "dst_host", "fts", "transfer_id"),
)

DEAD_LETTERS = Report(
    name="dead-letters",
    view="dead_letter",
    time="received_at",
    columns=(
        Column("id", "count"),
        *_columns("text", ("topic", "reason", "detail")),
        Column("received_at", "time"),
        Column("headers", "headers"),
        Column("size", "bytes"),
        *_columns("time", ("replayed_at", "died_at", "emptied_at")),
        *_columns("text", ("kind", "ref")),
    ),
    keys=("topic", "reason", "detail", "kind"),
    screen=("id", "received_at", "topic", "reason", "size", "replayed_at", "detail"),
    totals=("size",),
)

ALERTS = Report(
    name="alerts",
    view="alert",
    time="raised_at",
    columns=(
        Column("id", "count"),
        *_columns("text", ("rule", "subject")),
        *_columns("time", ("raised_at", "cleared_at")),
        *_columns("number", ("value", "threshold")),
        Column("silenced_until", "time"),
        Column("detail", "text"),
    ),
    keys=("rule", "subject"),
    screen=("id", "raised_at", "cleared_at", "rule", "subject", "value", "threshold", "detail"),
)

_HOST_KEYS = ("technology", "host", "site", "country", "status")

HOSTS = Report(
    name="hosts",
    view="host_10m",
    time="window_start",
    columns=(
        *_columns("text", _HOST_KEYS),
        *_columns("time", ("since", "first_seen", "last_seen")),
        Column("transfers", "count"),
        Column("bytes", "bytes"),
    ),
    keys=_HOST_KEYS,
    screen=("host", "site", "country", "status", "since", "last_seen", "transfers", "bytes"),
)

_BACKLOG_KEYS = ("kind", "broker", "name")

BACKLOG = Report(
    name="backlog",
    view="backlog",
    time="sampled_at",
    columns=(
        *_columns("text", _BACKLOG_KEYS),
        Column("sampled_at", "time"),
        Column("depth", "count"),
        Column("oldest_s", "number"),
        *_columns("count", ("consumers", "expired", "dead")),
        *_columns("number", ("enqueue_rate", "dequeue_rate")),
        *_columns("count", ("depth_max", "samples")),
    ),
    keys=_BACKLOG_KEYS,
    screen=("kind", "broker", "name", "sampled_at", "depth", "oldest_s", "consumers", "expired", "dead"),
)

_QUEUE_KEYS = ("fts", "vo", "channel", "src_host", "dst_host")

QUEUES = Report(
    name="queues",
    view="queue_10m",
    time="window_start",
    columns=(
        Column("window_start", "time"),
        *_columns("text", ("fts", "vo", "channel", "channel_type", "src_host", "dst_host")),
        *_columns("count", (f"{name}_{part}" for name in ("active", "ready") for part in ("last", "avg", "max"))),
        Column("samples", "count"),
        *_columns("percent", ("ratio_last", "ratio_avg", "ratio_max")),
        Column("active_to_max", "ratio"),
    ),
    keys=("window_start", *_QUEUE_KEYS),
    screen=(
        *("window_start", "fts", "vo", "channel", "src_host", "dst_host", "active_last", "active_avg", "active_max"),
        *("ready_last", "ready_max", "ratio_last"),
    ),
)

_WAIT_PARTS: dict[str, Kind] = {"count": "count", "mean": "ms", "min": "ms", "max": "ms"}
_STATE_KEYS = ("fts", "vo", "src_host", "dst_host", "state")
WAITS = ("wait", "staging")

STATES = Report(
    name="states",
    view="file_state_10m",
    time="window_start",
    columns=(
        Column("window_start", "time"),
        *_columns("text", _STATE_KEYS),
        Column("count", "count"),
        *(Column(f"{wait}_{part}", kind) for wait in WAITS for part, kind in _WAIT_PARTS.items()),
        Column("updated_at", "time"),
    ),
    keys=("window_start", *_STATE_KEYS),
    screen=("window_start", "vo", "src_host", "dst_host", "state", "count", "wait_mean", "wait_max", "staging_mean"),
    stages=WAITS,
)

REPORTS: dict[str, Report] = {
    report.name: report
    for report in (
        *(LINKS, CHANNELS, ENDPOINTS, ACTIVITIES, VOS, VO_SITES, VO_PAIRS, ERRORS, QUEUES, STATES),
        *(TRANSFERS, IN_FLIGHT, DEAD_LETTERS, ALERTS),
    )
}
