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

TOPICS: tuple[Topic, ...] = (
    Topic(FTS_TRANSFER, "transfer key", 30, "start, complete and state messages as received"),
    Topic(FTS_QUEUE, "message-id", 30, "queue status and optimizer messages as received"),
    Topic(XROOTD_TRANSFER, "message-id", 30, "xrootd file accesses as received"),
)

FTS_START = "fts.start"
FTS_COMPLETE = "fts.complete"
FTS_STATE = "fts.state"

KINDS: dict[str, str] = {
    FTS_START: FTS_TRANSFER,
    FTS_COMPLETE: FTS_TRANSFER,
    FTS_STATE: FTS_TRANSFER,
}
"""Each kind of message and the Kafka topic that carries it."""

BROKER_TOPICS: dict[str, str] = {
    "transfer.fts_monitoring_start": FTS_START,
    "transfer.fts_monitoring_complete": FTS_COMPLETE,
    "transfer.fts_monitoring_state": FTS_STATE,
}
"""The default map from broker topic to kind; a ``[[broker]]`` table may say otherwise."""


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
