"""Where messages are on their way: in the brokers' queues, in Kafka, in the store; and what is wrong with that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from consumers.bridge.depth import queue_depths
from consumers.bridge.settings import QUEUE, BrokerSettings
from consumers.errors import Unreachable
from consumers.kafka import groups
from consumers.worker.config import GROUP, TOPICS
from consumers.worker.finality import nobody_asks
from pipeline.cli.brokers import api_password, brokers
from pipeline.cli.errors import ConfigurationError
from pipeline.cli.kafka import kafka_access
from pipeline.cli.settings import Settings
from pipeline.stages.backlog import KNOWN_FOR_S
from pipeline.store import outbox
from pipeline.store.activity import relay_addresses, web_addresses, writer_addresses
from pipeline.store.finality import Final, finals
from pipeline.store.queries.health import Freshness, freshness, rules_judged_at, waiting_dead_letters
from pipeline.store.session import connect
from pipeline.store.storage import Storage, storage
from pipeline.store.topologies import InUse, in_use
from pipeline.units import moment


class Queue(NamedTuple):
    """A virtual queue that is configured, on one broker. ``depth`` None: it does not exist there."""

    broker: str
    name: str
    depth: int | None
    consumers: int
    expired: int


class Lag(NamedTuple):
    """How far the workers are in one partition of Kafka."""

    group: str
    topic: str
    partition: int
    committed: int | None
    end: int
    lag: int


@dataclass(frozen=True)
class FlowState:
    """What ``look`` saw; ``workers`` and ``relays`` are addresses of health pages, ``web`` those of pages and API.

    The parts that are not configured are empty, and named in ``left_out``.
    """

    queues: tuple[Queue, ...]
    lags: tuple[Lag, ...]
    missing_topics: tuple[str, ...]
    freshness: tuple[Freshness, ...]
    dead_letters: dict[str, int]
    workers: tuple[str, ...]
    relays: tuple[str, ...]
    web: tuple[str, ...]
    left_out: tuple[str, ...]
    topology: InUse | None
    storage: Storage
    outbox: outbox.Depth
    final: tuple[Final, ...]
    judged_at: datetime | None
    asked_at: datetime

    @property
    def waiting(self) -> int:
        """Messages that are not committed in the store yet."""
        return sum(queue.depth or 0 for queue in self.queues) + sum(lag.lag for lag in self.lags)

    @property
    def is_idle(self) -> bool:
        """Every configured queue exists with a consumer, and nothing waits anywhere."""
        attended = all(queue.depth is not None and queue.consumers > 0 for queue in self.queues)
        return attended and not self.left_out and not self.missing_topics and self.waiting == 0

    def problems(self, backlog_limit: int) -> Iterator[str]:
        """A sentence for each thing that is wrong."""
        for queue in self.queues:
            if queue.depth is None:
                yield f"{queue.name} does not exist on {queue.broker}: run transferscope bridge"
            elif queue.consumers == 0:
                yield f"{queue.name} on {queue.broker} has no consumer: run transferscope bridge"
            if (queue.depth or 0) > backlog_limit:
                yield f"{queue.name} on {queue.broker} is behind: {queue.depth} messages wait"
        for topic in self.missing_topics:
            yield f"Kafka has no topic {topic}: run transferscope init"
        if self.judged_at is not None and self.asked_at - self.judged_at > timedelta(seconds=KNOWN_FOR_S):
            when = moment(self.judged_at)
            yield f"nobody watches: the rules of alerts were last judged at {when}: run transferscope alerts"
        behind = sum(lag.lag for lag in self.lags)
        if behind > backlog_limit:
            yield f"the group {GROUP} is behind: {behind} messages wait in Kafka"


def look(settings: Settings, *, everything: bool = False) -> FlowState:
    """Ask the brokers, then Kafka, then Postgres; ``everything``: all must be configured.

    A message leaves a queue only when Kafka has it, and counts as lag until it is committed. So in this order a
    message that was under way is seen at least once, and "nothing waits" is true. Raises ConfigurationError,
    Unreachable, KafkaAway, Unavailable.
    """
    left_out = []
    queues: tuple[Queue, ...] = ()
    if everything or (settings.broker_api and (settings.stomp_brokers or settings.broker)):
        queues = tuple(_queues(settings))
    else:
        left_out.append("queues: stomp_brokers and broker_api are not both set")
    lags: tuple[Lag, ...] = ()
    missing: tuple[str, ...] = ()
    if everything or settings.kafka_bootstrap:
        offsets = groups.lag(kafka_access(settings), GROUP, TOPICS)
        lags = tuple(Lag(GROUP, *place, found.committed, found.end, found.lag) for place, found in offsets.items())
        missing = tuple(topic for topic in TOPICS if topic not in {topic for topic, _ in offsets})
    else:
        left_out.append("kafka: kafka_bootstrap is not set")
    with closing(connect(settings.need("database_url"))) as connection:
        fresh, dead = tuple(freshness(connection)), waiting_dead_letters(connection)
        judged_at = rules_judged_at(connection)
        workers, relays = tuple(writer_addresses(connection)), tuple(relay_addresses(connection))
        web = tuple(web_addresses(connection))
        with connection, connection.cursor() as cursor:
            topology, untold, final = in_use(cursor), outbox.depth(cursor), tuple(finals(cursor))
        stored = storage(connection)
    flow = (queues, lags, missing, fresh, dead, workers, relays, web, tuple(left_out))
    return FlowState(*flow, topology, stored, untold, final, judged_at, datetime.now(UTC))


def what_waits(settings: Settings) -> str:
    """Why nobody can say that the brokers' queues are there and empty, as one thing; "" when they are."""
    if not (settings.broker_api and (settings.stomp_brokers or settings.broker)):
        return nobody_asks()
    try:
        queues = list(_queues(settings))
    except (Unreachable, ConfigurationError) as error:
        return str(error)
    missing = next((queue for queue in queues if queue.depth is None), None)
    if missing is not None:
        return f"{missing.name} does not exist on {missing.broker}"
    full = next((queue for queue in queues if queue.depth), None)
    return f"{full.depth} messages wait in {full.name} on {full.broker}" if full else ""


def _queues(settings: Settings) -> Iterator[Queue]:
    configured = brokers(settings)
    password = api_password(settings)
    for url in settings.need("broker_api"):
        by_name = {queue.name: queue for queue in queue_depths(url, settings.broker_api_user, password)}
        for name in own_queues(configured, urlsplit(url).hostname):
            queue = by_name.get(name)
            if queue is None:
                yield Queue(urlsplit(url).netloc, name, None, 0, 0)
            else:
                yield Queue(urlsplit(url).netloc, name, queue.size, queue.consumers, queue.expired)


def own_queues(configured: Sequence[BrokerSettings], host: str | None) -> list[str]:
    """The virtual queues of the broker of that host; of all brokers where none is configured by this very name."""
    own = [broker for broker in configured if broker.host == host] or configured
    names = {
        broker.destination(topic).removeprefix("/queue/")
        for broker in own
        if broker.mode == QUEUE
        for topic in broker.topics
    }
    return sorted(names)
