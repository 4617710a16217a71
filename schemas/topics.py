"""Registry of topics: what the brokers call them, what we call their messages, and where Kafka keeps them."""

from __future__ import annotations

from typing import NamedTuple

MAX_BODY_BYTES = 16 * 1024 * 1024
"""Largest body that is bridged; Kafka's topic, producer and consumer limits are derived from it."""

SHARDS = 64
"""Transfer keys are spread over this many shards: Kafka partition = shard mod partitions, advisory lock = shard."""


class Topic(NamedTuple):
    """A Kafka topic: how long it keeps messages and what they are."""

    name: str
    keyed_by: str
    retention_days: int
    holds: str


FTS_TRANSFER = "fts.transfer"
FTS_QUEUE = "fts.queue"
XROOTD_TRANSFER = "xrootd.transfer"
TRANSFERS = "transfers"
DEAD_LETTERS = "dead-letters"
ALERTS = "alerts"
BROKER_DEPTH = "broker-depth"

TOPICS: tuple[Topic, ...] = (
    Topic(FTS_TRANSFER, "transfer key", 30, "start, complete and state messages as received"),
    Topic(FTS_QUEUE, "message-id", 30, "queue status and optimizer messages as received"),
    Topic(XROOTD_TRANSFER, "message-id", 30, "xrootd file accesses as received"),
    Topic(TRANSFERS, "id", 7, "finished transfers, joined and enriched, as JSON (transfer.schema.json)"),
    Topic(DEAD_LETTERS, "id", 30, "messages that could not be used, without body, as JSON (dead-letter.schema.json)"),
    Topic(ALERTS, "id", 30, "alerts as they are raised and cleared, as JSON (alert.schema.json)"),
    Topic(BROKER_DEPTH, "subject", 7, "samples of queues and consumer groups, as JSON (broker-depth.schema.json)"),
)

FTS_START = "fts.start"
FTS_COMPLETE = "fts.complete"
FTS_STATE = "fts.state"
FTS_QUEUE_STATUS = "fts.queue-status"
FTS_OPTIMIZER = "fts.optimizer"
XROOTD_GLED = "xrootd.gled"
XROOTD_CMSSW = "xrootd.cmssw"
XROOTD_WLCG = "xrootd.wlcg"
XROOTD_COLLECTOR = "xrootd.collector"
XROOTD_CACHE = "xrootd.gstream-cache"
XROOTD_TPC = "xrootd.gstream-tpc"
XROOTD_EOS = "xrootd.eos"
XROOTD_SHOVELER = "xrootd.shoveler"

KINDS: dict[str, str] = {
    FTS_START: FTS_TRANSFER,
    FTS_COMPLETE: FTS_TRANSFER,
    FTS_STATE: FTS_TRANSFER,
    FTS_QUEUE_STATUS: FTS_QUEUE,
    FTS_OPTIMIZER: FTS_QUEUE,
    XROOTD_GLED: XROOTD_TRANSFER,
    XROOTD_CMSSW: XROOTD_TRANSFER,
    XROOTD_WLCG: XROOTD_TRANSFER,
    XROOTD_COLLECTOR: XROOTD_TRANSFER,
    XROOTD_CACHE: XROOTD_TRANSFER,
    XROOTD_TPC: XROOTD_TRANSFER,
    XROOTD_EOS: XROOTD_TRANSFER,
    XROOTD_SHOVELER: XROOTD_TRANSFER,
}
"""Each kind of message and the Kafka topic that carries it."""

BROKER_TOPICS: dict[str, str] = {
    "transfer.fts_monitoring_start": FTS_START,
    "transfer.fts_monitoring_complete": FTS_COMPLETE,
    "transfer.fts_monitoring_state": FTS_STATE,
    "transfer.fts_monitoring_queue_status": FTS_QUEUE_STATUS,
    "transfer.fts_monitoring_queue_statu": FTS_QUEUE_STATUS,
    "transfer.fts_monitoring_queue_state": FTS_OPTIMIZER,
}
"""What is subscribed by default, with its kind; a ``[[broker]]`` table may say otherwise."""

XROOTD_TOPICS: dict[str, str] = {
    "xrdpop.fax_popularity": XROOTD_GLED,
    "xrdpop.uscms_popularity": XROOTD_GLED,
    "xrdpop.uscms_test_popularity": XROOTD_GLED,
    "xrootd.atlas.eos": XROOTD_GLED,
    "xrootd.atlas.fax.eu": XROOTD_GLED,
    "xrootd.fax.us": XROOTD_GLED,
    "xrootd.cms.eos": XROOTD_GLED,
    "xrd.wlcg_format": XROOTD_WLCG,
    "xrd.detailed": XROOTD_COLLECTOR,
    "xrd.cache.stash": XROOTD_CACHE,
    "xrd.cache.wlcg": XROOTD_CACHE,
    "xrd.tpc": XROOTD_TPC,
    "xrd.tpc.wlcg": XROOTD_TPC,
    XROOTD_CMSSW: XROOTD_CMSSW,
    XROOTD_EOS: XROOTD_EOS,
    XROOTD_SHOVELER: XROOTD_SHOVELER,
}
"""Where xrootd records are published: GLED's topics, the collectors' exchanges. Formats that are published under no
name of their own go by that of their kind, so that a recording can say what it holds. Known, but subscribed only by
those who list them: a broker may refuse a topic that it does not have, and who has FTS alone must not notice."""

KNOWN_TOPICS: dict[str, str] = BROKER_TOPICS | XROOTD_TOPICS
"""The kind of every topic that we know, subscribed or not."""


def broker_topic(destination: str) -> str:
    """The topic behind a STOMP destination.

    ``/queue/Consumer.NAME.transfer.x`` and ``/topic/transfer.x`` both give ``transfer.x``.
    """
    name = destination.removeprefix("/queue/").removeprefix("/topic/")
    if name.startswith("Consumer."):
        parts = name.split(".", 2)
        if len(parts) == 3:
            return parts[2]
    return name
