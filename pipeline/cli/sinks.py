"""Where replayed messages go."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from typing import NamedTuple

from pipeline.cli.brokers import brokers
from pipeline.cli.errors import Unreachable
from pipeline.cli.kafka import kafka_access
from pipeline.cli.settings import Settings
from pipeline.cli.user_key import user_key
from pipeline.stages.decode import decode
from schemas.envelope import RawMessage
from schemas.rules import Horizon
from schemas.topics import KINDS


class Sink(NamedTuple):
    """``put`` takes a batch, ``finish`` returns when all that was put is where it belongs. Both count what they know
    of what has become of messages and was not told before."""

    put: Callable[[Sequence[RawMessage]], Mapping[str, int]]
    finish: Callable[[], Mapping[str, int]] = dict


KAFKA_WAIT_S = 30.0
_DAY_MS = 86_400_000
ORIGIN = "replay"
"""What stands in the header ``origin``, where the bridge names the broker."""

_BROKERS_OWN = frozenset(
    {"message-id", "subscription", "timestamp", "expires", "redelivered", "ack", "persistent", "priority"}
)
"""Headers that a broker sets anew. An old ``expires`` would make it throw the message away."""


@contextmanager
def store_sink(settings: Settings, processes: int) -> Iterator[Sink]:
    """Does what a worker does with a batch, in one transaction. Raises Unavailable when Postgres is away; with several
    processes also WriterDied.
    """
    from pipeline.cli.writers import Writers
    from pipeline.ingest import Ingest

    open_ingest = partial(Ingest, settings.need("database_url"), settings.retention_days, user_key=user_key(settings))
    if processes > 1:
        with Writers(processes, open_ingest) as writers:
            yield Sink(writers.put, writers.finish)
    else:
        with closing(open_ingest()) as ingest:
            yield Sink(lambda batch: ingest.process(batch)._asdict())


@contextmanager
def kafka_sink(settings: Settings) -> Iterator[Sink]:
    """Writes the records that the bridge would write. Raises KafkaAway, NoTopic; Unreachable without an answer."""
    from consumers.bridge.mapping import Source, record_of, too_large
    from consumers.kafka.producer import Producer
    from consumers.stomp.frames import Delivery

    access = kafka_access(settings)
    producer = Producer(access, too_large)
    partitions = producer.partitions(sorted(set(KINDS.values())))
    sources = {topic: Source(ORIGIN, topic, kind, partitions[KINDS[kind]]) for topic, kind in settings.kinds().items()}

    def deliver(batch: Sequence[RawMessage]) -> Mapping[str, int]:
        now_ms = time.time_ns() // 1_000_000
        until = time.monotonic() + KAFKA_WAIT_S
        records = [
            record_of(Delivery(headers, message.body), sources[message.topic], now_ms)
            for message, headers in zip(batch, _as_received(batch, settings.retention_days, now_ms), strict=True)
        ]
        if not producer.deliver(records, lambda: time.monotonic() < until):
            raise Unreachable("Kafka", access.address, f"no acknowledgement within {KAFKA_WAIT_S:.0f} s")
        return {"sent": len(records)}

    yield Sink(deliver)


@contextmanager
def activemq_sink(settings: Settings) -> Iterator[Sink]:
    """Publishes to the first broker, as a producer would: they are received anew. Raises Unreachable."""
    from consumers.bridge.publish import publish

    broker = brokers(settings)[0]
    yield Sink(lambda batch: {"sent": publish(map(_without_the_brokers_own, batch), broker)})


ELSEWHERE: dict[str, Callable[[Settings], AbstractContextManager[Sink]]] = {
    "kafka": kafka_sink,
    "activemq": activemq_sink,
}
"""Sinks other than the store."""


def _as_received(batch: Sequence[RawMessage], retention_days: int, now_ms: int) -> Iterable[dict[str, bytes]]:
    """The headers of each message as a broker would have sent them: with an id, and with the time of receipt.

    In a file that is ``received``, else the event time, as when the file goes to the store; else it is now.
    """
    horizon = Horizon(retention_days * _DAY_MS, None)
    silent = decode((message for message in batch if message.received_ms is None), horizon)
    event_times = {start.ref: start.event_ms for start in silent.starts}
    event_times |= {complete.ref: complete.event_ms for complete in silent.completes}
    event_times |= {report.ref: report.event_ms for report in silent.reports}
    for message in batch:
        received = message.received_ms or event_times.get(message.ref, now_ms)
        headers = {"message-id": message.identity, **message.headers, "timestamp": str(received)}
        yield {name: value.encode() for name, value in headers.items()}


def _without_the_brokers_own(message: RawMessage) -> RawMessage:
    kept = {name: value for name, value in message.headers.items() if name not in _BROKERS_OWN}
    return message._replace(headers=kept)
