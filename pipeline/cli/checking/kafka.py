"""What Kafka tells of itself and of our user. It does not tell the time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from consumers.kafka import admin
from consumers.kafka.access import KafkaAccess
from pipeline.cli.checking import disk, retention, rights, tls
from pipeline.cli.checking.check import Check, Verdict, tried
from pipeline.cli.checking.clock import Clock, moment
from pipeline.cli.checking.disk import Room
from pipeline.cli.checking.rights import READ, WRITTEN
from pipeline.cli.kafka import kafka_access
from pipeline.cli.settings import Settings
from schemas.topics import (
    ALERTS,
    BROKER_DEPTH,
    DEAD_LETTERS,
    FTS_QUEUE,
    FTS_TRANSFER,
    TOPICS,
    TRANSFERS,
    XROOTD_TRANSFER,
)

_RECEIVED = (FTS_TRANSFER, FTS_QUEUE, XROOTD_TRANSFER)
NEEDED = {
    "bridge": dict.fromkeys(_RECEIVED, WRITTEN),
    "worker": dict.fromkeys(_RECEIVED, READ),
    "relay": dict.fromkeys((TRANSFERS, DEAD_LETTERS, ALERTS), WRITTEN),
    "alerts": {TRANSFERS: READ, BROKER_DEPTH: READ | WRITTEN},
}


def checks(settings: Settings, own: Clock) -> Iterator[Check]:
    """All of them, as they are made."""
    access = kafka_access(settings)
    yield Check("Kafka", Verdict.OK, f"version {admin.version(access)} at {access.address}")
    for server in access.servers:
        yield from tried("TLS to Kafka", partial(_tls, access, server, own))
    may = admin.allowed(access, [topic.name for topic in TOPICS])
    unseen, drift, kept = admin.inspect_topics(access, settings.partitions)
    missing = [name for name in unseen if name not in may]
    for name in missing:
        yield Check(f"topic {name}", Verdict.WRONG, "it is not there: run transferscope init")
    for found in drift:
        detail = f"{found.name} is {found.found}, not {found.wanted}: change it in Kafka or, if meant, in the settings"
        yield Check(f"topic {found.topic}", Verdict.WRONG, detail)
    if not unseen and not drift:
        yield Check("topics", Verdict.OK, f"{len(TOPICS)}, with {settings.partitions} partitions")
    if not may:
        return
    needed = {
        command: {topic: operations for topic, operations in topics.items() if topic in may}
        for command, topics in NEEDED.items()
    }
    yield rights.of_topics(settings.kafka_user, needed, may)
    yield retention.of_topics(kept)
    for each in admin.log_dirs(access):
        room = Room(each.total, each.usable) if each.total > 0 and each.usable >= 0 else None
        yield disk.judged(f"disk of Kafka, broker {each.broker}", each.size, room)


def _tls(access: KafkaAccess, server: str, own: Clock) -> Iterator[Check]:
    host, _, port = server.rpartition(":")
    name, context = host.strip("[]"), access.ssl_context()
    if context is None:
        yield tls.not_encrypted(f"Kafka at {server}", name, "set kafka_ca_file, and the TLS port in kafka_bootstrap")
        return
    peer = tls.handshake((name, int(port)), name, context, access.ca_file)
    yield tls.encrypted(f"Kafka at {server}", peer, moment(own))
