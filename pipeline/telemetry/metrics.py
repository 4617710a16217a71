"""The registry of all metrics: name, kind, unit, who has it, what it says. Nothing else is ever exposed.

Names follow Prometheus: base units, ``_total`` for what only rises. A gauge that nobody has set is NaN: it is not
known, no comparison with it is true, and plots have a gap. Labels have few values:
hosts, links, VOs and users are none.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from pipeline.stages.alert_rules import SEVERITIES
from schemas.deadletters import REASONS
from schemas.topics import ALERTS, DEAD_LETTERS, FTS_QUEUE, FTS_TRANSFER, TRANSFERS, XROOTD_TRANSFER

Kind = Literal["counter", "gauge", "histogram"]
Process = Literal["bridge", "worker", "relay", "alerts", "web"]

BRIDGE: tuple[Process, ...] = ("bridge",)
WORKER: tuple[Process, ...] = ("worker",)
RELAY: tuple[Process, ...] = ("relay",)
ALERTER: tuple[Process, ...] = ("alerts",)
WEB: tuple[Process, ...] = ("web",)
EVERY: tuple[Process, ...] = ("bridge", "worker", "relay", "alerts", "web")
CONSUMERS: tuple[Process, ...] = ("bridge", "worker", "relay", "alerts")

_MESSAGES = (1, 10, 50, 100, 250, 500, 1000, 2000, 4000, 6000)
_FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_SLOW_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_AGES_S = (0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400)

STAGES = ("decode", "enrich", "number", "lock", "load", "decide", "write", "commit")
"""What a worker does with a batch, in this order. The first two are pure; ``number`` makes partitions, and numbers for
links that are new; the others are one transaction."""
OUTCOMES = ("stored", "duplicate", "dead")
BULK_TOPICS = (FTS_TRANSFER, FTS_QUEUE, XROOTD_TRANSFER)
LOOKS = ("link-health", "rules")


class Metric(NamedTuple):
    """``known`` are values of the one label that are there from the start, so that a first event is an increase."""

    name: str
    kind: Kind
    unit: str
    processes: tuple[Process, ...]
    meaning: str
    labels: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def _metric(
    kind: Kind,
    name: str,
    unit: str,
    processes: tuple[Process, ...],
    meaning: str,
    labels: tuple[str, ...] = (),
    known: tuple[str, ...] = (),
    buckets: tuple[float, ...] = (),
) -> Metric:
    return Metric(f"transferscope_{name}", kind, unit, processes, meaning, labels, known, buckets)


BUILD_INFO = _metric("gauge", "build_info", "1", EVERY, "what runs here; always 1", ("process", "version", "python"))
HEALTHY = _metric("gauge", "healthy", "0 or 1", CONSUMERS, "1 while `/healthz` answers 200")
SERVICE_UP = _metric(
    "gauge",
    "service_up",
    "0 or 1",
    CONSUMERS,
    "1 while a service that it needs answers; absent before its first word",
    ("service",),
)
SERVICE_OUTAGES = _metric(
    "counter",
    "service_outages_total",
    "outages",
    ("worker", "relay", "alerts"),
    "how often a service that it needs went away",
    ("service",),
)

BRIDGE_RECEIVED = _metric(
    "counter", "bridge_received_messages_total", "messages", BRIDGE, "from the brokers, redeliveries too"
)
BRIDGE_RECEIVED_BYTES = _metric("counter", "bridge_received_bytes_total", "bytes", BRIDGE, "bodies of these")
BRIDGE_TOO_LARGE = _metric(
    "counter", "bridge_too_large_messages_total", "messages", BRIDGE, "bodies over 16 MiB, of which the first MiB goes"
)
BRIDGE_PUBLISHED = _metric("counter", "bridge_published_messages_total", "messages", BRIDGE, "acknowledged by Kafka")
BRIDGE_ACKED = _metric(
    "counter", "bridge_acknowledged_messages_total", "messages", BRIDGE, "acknowledged to their broker"
)
BRIDGE_BATCH = _metric(
    "histogram", "bridge_batch_messages", "messages", BRIDGE, "messages of a batch", buckets=_MESSAGES[:7]
)
BRIDGE_PUBLISH = _metric(
    "histogram",
    "bridge_publish_seconds",
    "seconds",
    BRIDGE,
    "a batch, from its shipping until Kafka has all of it",
    buckets=_SLOW_S,
)
BRIDGE_CONNECTIONS = _metric(
    "gauge",
    "bridge_connections",
    "connections",
    BRIDGE,
    "addresses of brokers by state",
    ("state",),
    ("connecting", "connected", "stopped"),
)
BRIDGE_CONNECTS = _metric("counter", "bridge_connects_total", "connections", BRIDGE, "connections made, first ones too")
BRIDGE_FAILURES = _metric(
    "counter", "bridge_connection_failures_total", "failures", BRIDGE, "connections lost, refused or not answered"
)
BRIDGE_UNACKED = _metric(
    "gauge", "bridge_unacknowledged_messages", "messages", BRIDGE, "delivered by brokers and not yet in Kafka"
)
BRIDGE_UNACKED_BYTES = _metric("gauge", "bridge_unacknowledged_bytes", "bytes", BRIDGE, "bodies of these")
BRIDGE_OLDEST = _metric(
    "gauge", "bridge_oldest_unacknowledged_seconds", "seconds", BRIDGE, "how long the oldest of these has waited"
)
BRIDGE_LAST_RECEIVED = _metric(
    "gauge", "bridge_last_received_timestamp_seconds", "seconds since 1970", BRIDGE, "when a broker last sent a message"
)

WORKER_READ = _metric(
    "counter", "worker_read_messages_total", "messages", WORKER, "read from Kafka; some come again after a restart"
)
WORKER_READ_BYTES = _metric("counter", "worker_read_bytes_total", "bytes", WORKER, "bodies of these")
WORKER_MESSAGES = _metric(
    "counter", "worker_messages_total", "messages", WORKER, "committed, by what became of them", ("outcome",), OUTCOMES
)
WORKER_DEAD = _metric(
    "counter",
    "worker_dead_letters_total",
    "messages",
    WORKER,
    "dead letters by reason, repeated ones too",
    ("reason",),
    tuple(REASONS),
)
WORKER_BATCH = _metric(
    "histogram", "worker_batch_messages", "messages", WORKER, "messages of a batch", buckets=_MESSAGES
)
WORKER_STAGE = _metric(
    "histogram",
    "worker_stage_seconds",
    "seconds",
    WORKER,
    "a stage of a batch; `commit` is the database's COMMIT",
    ("stage",),
    STAGES,
    _FAST_S,
)
WORKER_COMMIT = _metric(
    "histogram",
    "worker_commit_seconds",
    "seconds",
    WORKER,
    "a batch, from its hand-over to the store until it is committed, with waits for PostgreSQL",
    buckets=_SLOW_S,
)
WORKER_DELAY = _metric(
    "histogram",
    "worker_delay_seconds",
    "seconds",
    WORKER,
    "age of the newest message of a committed batch, from the broker's own time on",
    buckets=_AGES_S,
)
WORKER_LAST_COMMIT = _metric(
    "gauge", "worker_last_commit_timestamp_seconds", "seconds since 1970", WORKER, "when a batch was last committed"
)
WORKER_GROUP_LAG = _metric(
    "gauge",
    "worker_group_lag_messages",
    "messages",
    WORKER,
    "of the whole consumer group: in Kafka and not committed, as seen once a minute",
    ("topic",),
    BULK_TOPICS,
)
WORKER_TOPOLOGY = _metric(
    "gauge", "worker_topology_revision", "revision", WORKER, "the topology in use here; 0 without any"
)

RELAY_TURN = _metric("gauge", "relay_has_turn", "0 or 1", RELAY, "1 while it publishes, 0 while it stands by")
RELAY_OUTBOX = _metric(
    "gauge", "relay_outbox_rows", "rows", RELAY, "rows of the outbox that wait, looked at now and then"
)
RELAY_OUTBOX_OLDEST = _metric(
    "gauge", "relay_outbox_oldest_seconds", "seconds", RELAY, "how long the oldest of these has waited; 0 without any"
)
RELAY_PUBLISHED = _metric(
    "counter",
    "relay_published_documents_total",
    "documents",
    RELAY,
    "acknowledged by Kafka",
    ("topic",),
    (TRANSFERS, DEAD_LETTERS, ALERTS),
)
RELAY_PUBLISH = _metric(
    "histogram",
    "relay_publish_seconds",
    "seconds",
    RELAY,
    "a batch, from its shipping until Kafka has all of it",
    buckets=_SLOW_S,
)
RELAY_BATCH = _metric(
    "histogram", "relay_batch_documents", "documents", RELAY, "documents of a batch", buckets=_MESSAGES
)

ALERTS_LAST_RUN = _metric(
    "gauge",
    "alerts_last_run_timestamp_seconds",
    "seconds since 1970",
    ALERTER,
    "when the rules were last judged: the alerter's heart-beat",
)
ALERTS_RUN = _metric(
    "histogram", "alerts_run_seconds", "seconds", ALERTER, "a look of the rules", ("look",), LOOKS, _SLOW_S
)
ALERTS_RAISED = _metric(
    "counter", "alerts_raised_total", "alerts", ALERTER, "raised here", ("rule",), tuple(SEVERITIES)
)
ALERTS_CLEARED = _metric(
    "counter", "alerts_cleared_total", "alerts", ALERTER, "cleared here", ("rule",), tuple(SEVERITIES)
)
ALERTS_CHANNEL_UP = _metric(
    "gauge",
    "alerts_channel_up",
    "0 or 1",
    ALERTER,
    "1 unless the last message of a channel could not be sent",
    ("channel",),
)
ALERTS_QUEUE = _metric(
    "gauge",
    "alerts_queue_messages",
    "messages",
    ALERTER,
    "wait in a virtual queue of ours, on all brokers; absent while not known",
    ("queue",),
)
ALERTS_QUEUE_CONSUMERS = _metric(
    "gauge",
    "alerts_queue_consumers",
    "consumers",
    ALERTER,
    "of such a queue, on the broker with the fewest",
    ("queue",),
)
ALERTS_QUEUE_OLDEST = _metric(
    "gauge", "alerts_queue_oldest_seconds", "seconds", ALERTER, "age of the oldest message of such a queue", ("queue",)
)
ALERTS_GROUP_LAG = _metric(
    "gauge",
    "alerts_group_lag_messages",
    "messages",
    ALERTER,
    "in Kafka and not committed by a consumer group",
    ("group",),
)
ALERTS_GROUP_OLDEST = _metric(
    "gauge",
    "alerts_group_oldest_seconds",
    "seconds",
    ALERTER,
    "for how long the oldest message that a group of ours has not committed has been in Kafka",
    ("group",),
)

WEB_REQUESTS = _metric(
    "counter",
    "web_requests_total",
    "requests",
    WEB,
    "answered; `route` is the pattern of the address, empty where there is nothing",
    ("method", "route", "status"),
)
WEB_REQUEST = _metric(
    "histogram", "web_request_seconds", "seconds", WEB, "a request, until its answer begins", ("route",), (), _SLOW_S
)
WEB_STATEMENT = _metric(
    "histogram", "web_statement_seconds", "seconds", WEB, "a statement in the database", buckets=_FAST_S
)
WEB_CONNECTIONS = _metric("gauge", "web_connections_in_use", "connections", WEB, "connections that requests hold now")

STORE_UP = _metric(
    "gauge", "store_up", "0 or 1", WEB, "1 while PostgreSQL answers; while it is 0 the other `store_` gauges are NaN"
)
STORE_TOPOLOGY = _metric("gauge", "store_topology_revision", "revision", WEB, "the newest topology; 0 without any")
STORE_TOPOLOGY_CONFIRMED = _metric(
    "gauge",
    "store_topology_confirmed_timestamp_seconds",
    "seconds since 1970",
    WEB,
    "when a load last found the topology so; NaN without any",
)
STORE_LAST_RECEIVED = _metric(
    "gauge",
    "store_last_received_timestamp_seconds",
    "seconds since 1970",
    WEB,
    "receipt time of the newest message of any source; NaN without any",
)
STORE_LAST_COMMIT = _metric(
    "gauge",
    "store_last_commit_timestamp_seconds",
    "seconds since 1970",
    WEB,
    "when a batch was last committed, by any worker; NaN without any",
)
STORE_SILENT = _metric(
    "gauge",
    "store_silent_sources",
    "sources",
    WEB,
    "sources silent for longer than `web_stale_minutes`, of those that were heard in the last 7 days",
)
STORE_FINAL = _metric(
    "gauge",
    "store_final_until_timestamp_seconds",
    "seconds since 1970",
    WEB,
    "up to which end the windows of a topic are final; absent while none is",
    ("topic",),
)
STORE_ALERTS = _metric("gauge", "store_open_alerts", "alerts", WEB, "alerts that hold now and are not silenced")

ALL: tuple[Metric, ...] = tuple(value for value in tuple(globals().values()) if isinstance(value, Metric))


def of(process: Process) -> tuple[Metric, ...]:
    """The metrics of a process."""
    return tuple(metric for metric in ALL if process in metric.processes)
