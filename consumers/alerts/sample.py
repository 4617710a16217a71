"""What waits in brokers and in Kafka, asked of all of them at the same time."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from consumers.alerts import asking
from consumers.alerts.asking import NoStatistics, Statistics
from consumers.bridge.depth import queue_depths
from consumers.bridge.settings import BrokerSettings
from consumers.errors import Unreachable
from consumers.kafka.access import KafkaAway
from consumers.stomp.endpoint import Endpoint
from consumers.thread import WorkThread
from pipeline.stages.backlog import Sample

log = logging.getLogger(__name__)

PATIENCE_S = 8.0
"""A service that takes longer gives no sample this time, so that one that hangs keeps no other waiting."""
LEAVE_ALONE_S = 600.0
"""A broker without the plugin keeps our question as a message until it expires: it is not asked again for so long. One
that has ever answered has the plugin, and hangs: it is asked again with the next sample."""
DEAD_LETTER_QUEUES = ("ActiveMQ.DLQ", "DLQ.*")
"""Where ActiveMQ puts what it could not deliver: the queue that all share, and those of their own."""


class Answer(NamedTuple):
    """``told`` are the brokers that told all their queues."""

    samples: list[Sample]
    told: frozenset[str] = frozenset()


Ask = Callable[[], Answer]
"""Asks one service what waits in it; raises Unreachable or KafkaAway."""


Place = TypeVar("Place")


class Ages:
    """How long the oldest of what waits has waited, as far as that can be asked; that it cannot is told once."""

    def __init__(self) -> None:
        self._is_told = False

    def known(self, ask: Callable[[], dict[Place, float]]) -> dict[Place, float]:
        """What ``ask`` says; nothing when it raises Unreachable or KafkaAway."""
        try:
            found = ask()
        except (Unreachable, KafkaAway) as error:
            if not self._is_told:
                log.warning("nobody knows how old what waits is: %s", error)
            self._is_told = True
            return {}
        self._is_told = False
        return found


class Sampling:
    """For one event loop. Each service is asked in a thread of its own."""

    def __init__(self, asks: Mapping[str, Ask], patience_s: float = PATIENCE_S) -> None:
        """``asks`` by the name of what they ask, as people know it."""
        self._asks = {name: (ask, WorkThread(f"ask {name}")) for name, ask in asks.items()}
        self._pending: dict[str, asyncio.Future[Answer]] = {}
        self._patience_s = patience_s
        self._silent: set[str] = set()

    async def look(self) -> Answer:
        """The samples of every service that answers in time.

        Of one that does not there is none: what waits in it is unknown, not 0. Said in the log when it begins. It is
        not asked again before its last answer, whose time is past, has come.
        """
        for name, (ask, thread) in self._asks.items():
            if name not in self._pending:
                self._pending[name] = asyncio.ensure_future(thread.run(ask))
        asked = dict(self._pending)
        if asked:
            await asyncio.wait(asked.values(), timeout=self._patience_s)
        samples, told = list[Sample](), frozenset[str]()
        for name, future in asked.items():
            answer = self._answer(name, future)
            if answer is not None:
                samples += answer.samples
                told |= answer.told
        return Answer(samples, told)

    def _answer(self, name: str, future: asyncio.Future[Answer]) -> Answer | None:
        if not future.done():
            self._is_silent(name, f"{name} has not answered within {self._patience_s:.0f} s")
            return None
        del self._pending[name]
        try:
            answer = future.result()
        except (Unreachable, KafkaAway) as error:
            self._is_silent(name, str(error))
            return None
        if name in self._silent:
            log.info("what waits in %s is known again", name)
            self._silent.discard(name)
        return answer

    def _is_silent(self, name: str, why: str) -> None:
        if name not in self._silent:
            log.warning("nobody knows what waits: %s", why)
            self._silent.add(name)


@dataclass(frozen=True)
class Watched:
    """What is looked for on a broker: queues of ours, and those of others that take the same topics."""

    ours: frozenset[str]
    topics: frozenset[str]

    def is_virtual(self, name: str) -> bool:
        """Whether it takes one of the topics, ours or not."""
        consumer, _, rest = name.partition(".")
        return consumer == "Consumer" and rest.partition(".")[2] in self.topics

    def samples(self, broker: str, found: Iterable[Statistics]) -> Answer:
        """Every queue of ours, there or not, and those of others."""
        by_name = {each.name: each for each in found}
        dead = sum(each.depth for each in by_name.values() if is_dead_letter_queue(each.name))
        names = {*self.ours, *(name for name in by_name if self.is_virtual(name))}
        return Answer(
            [self._sample(broker, name, by_name.get(name), dead) for name in sorted(names)], frozenset([broker])
        )

    def _sample(self, broker: str, name: str, found: Statistics | None, dead: int) -> Sample:
        is_ours = name in self.ours
        if found is None:
            return Sample("queue", broker, name, None, dead=dead, ours=is_ours)
        counts = (found.expired, dead, found.enqueued, found.dequeued)
        return Sample("queue", broker, name, found.depth, found.oldest_s, found.consumers, *counts, ours=is_ours)


def is_dead_letter_queue(name: str) -> bool:
    """Whether ActiveMQ itself puts messages there."""
    return any(fnmatchcase(name, pattern) for pattern in DEAD_LETTER_QUEUES)


@dataclass
class JolokiaAsk:
    """A broker that has Jolokia. What it does not tell, the age of what waits, is browsed for over STOMP."""

    url: str
    login: Callable[[], tuple[str | None, str | None]]
    watched: Watched
    brokers: Sequence[BrokerSettings]
    _known: Ages = field(default_factory=Ages, init=False)

    def __call__(self) -> Answer:
        found = [
            Statistics(each.name, each.size, None, each.consumers, each.expired, each.enqueued, each.dequeued)
            for each in queue_depths(self.url, *self.login())
        ]
        waiting = [each.name for each in found if each.name in self.watched.ours and each.depth]
        ages = self._known.known(lambda: self._ages(waiting)) if waiting else {}
        told = [each._replace(oldest_s=ages.get(each.name)) for each in found]
        return self.watched.samples(urlsplit(self.url).netloc, told)

    def _ages(self, names: Sequence[str]) -> dict[str, float]:
        host = addresses_of(self.url)
        for broker, endpoint in _endpoints(self.brokers):
            if endpoint.address in host:
                return asking.oldest(endpoint, broker.login, names)
        return {}


@dataclass
class StatisticsAsk:
    """The brokers behind a name, those that have no Jolokia, by the statistics plugin."""

    broker: BrokerSettings
    jolokia: Sequence[str]
    watched: Watched
    clock: Callable[[], float] = time.monotonic
    _silent: set[str] = field(default_factory=set, init=False)
    _have_answered: set[Endpoint] = field(default_factory=set, init=False)
    _left_alone: dict[Endpoint, tuple[float, Unreachable]] = field(default_factory=dict, init=False)

    def __call__(self) -> Answer:
        covered = {address for url in self.jolokia for address in addresses_of(url)}
        endpoints = [each for each in self.broker.endpoints() if each.address not in covered]
        patterns = [*(f"Consumer.*.{topic}" for topic in sorted(self.watched.topics)), *DEAD_LETTER_QUEUES]

        def ask(endpoint: Endpoint) -> Answer | Unreachable:
            until, problem = self._left_alone.get(endpoint, (0.0, None))
            if problem is not None and self.clock() < until:
                return problem
            try:
                found = asking.statistics(endpoint, self.broker.login, patterns)
            except NoStatistics as error:
                if endpoint not in self._have_answered:
                    self._left_alone[endpoint] = (self.clock() + LEAVE_ALONE_S, error)
                return error
            except Unreachable as error:
                return error
            self._have_answered.add(endpoint)
            return self.watched.samples(f"{endpoint.address}:{endpoint.port}", found)

        with ThreadPoolExecutor(max(len(endpoints), 1)) as pool:
            replies = list(pool.map(ask, endpoints))
        problems = [reply for reply in replies if isinstance(reply, Unreachable)]
        answers = [reply for reply in replies if isinstance(reply, Answer)]
        if problems and not answers:
            raise problems[0]
        for problem in problems:
            if problem.address not in self._silent:
                log.warning("nobody knows what waits: %s", problem)
        self._silent = {problem.address for problem in problems}
        samples = [sample for answer in answers for sample in answer.samples]
        return Answer(samples, frozenset(broker for answer in answers for broker in answer.told))


def addresses_of(url: str) -> frozenset[str]:
    """Every address behind the host of a URL; none when its name cannot be resolved."""
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return frozenset()
    return frozenset(str(address[0]) for _, _, _, _, address in found)


def _endpoints(brokers: Sequence[BrokerSettings]) -> Iterator[tuple[BrokerSettings, Endpoint]]:
    for broker in brokers:
        for endpoint in broker.endpoints():
            yield broker, endpoint
