"""A real ActiveMQ tells the age of what waits, by browsing, and all counts by its statistics plugin."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.alerts import asking
from consumers.alerts.asking import NoStatistics
from consumers.alerts.sample import LEAVE_ALONE_S, JolokiaAsk, StatisticsAsk, Watched
from consumers.bridge.settings import BrokerSettings
from consumers.errors import Unreachable
from consumers.stomp.endpoint import Login
from pipeline.devstack.stack import Stack
from tests.support.activemq import PASSWORD, USER, activemq
from tests.support.emptied import remove_queues
from tests.support.publishing import broker_of
from tests.support.stomp_client import StompClient
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

TOPIC = "transfer.fts_monitoring_start"
WAITING = 7


class World:
    """A broker with a queue of ours that holds seven messages and one of somebody else that holds as many."""

    def __init__(self, environment: dict[str, str], name: str) -> None:
        self.environment = environment
        self.name = name
        self.broker = broker_of(environment)
        self.ours, self.theirs = f"Consumer.{name}.{TOPIC}", f"Consumer.{name}-other.{TOPIC}"
        self.watched = Watched(frozenset({self.ours, f"Consumer.{name}.absent"}), frozenset({TOPIC}))
        self.published_at = 0.0

    @property
    def api(self) -> str:
        return self.environment["TRANSFERSCOPE_BROKER_API"]

    def login(self) -> tuple[str | None, str | None]:
        password = Path(self.environment["TRANSFERSCOPE_BROKER_API_PASSWORD_FILE"]).read_text().strip()
        return self.environment["TRANSFERSCOPE_BROKER_API_USER"], password


def connected(environment: dict[str, str]) -> StompClient:
    host, _, port = environment["TRANSFERSCOPE_STOMP_BROKERS"].removeprefix("stomp://").rpartition(":")
    client = StompClient(socket.create_connection((host, int(port)), timeout=20))
    password = Path(environment["TRANSFERSCOPE_STOMP_PASSWORD_FILE"]).read_text().strip()
    client.connect(environment["TRANSFERSCOPE_STOMP_USER"], password)
    return client


@pytest.fixture
def world(stack: Stack) -> Iterator[World]:
    found = World(stack.env(), f"test-{uuid.uuid4().hex[:12]}")
    for queue in (found.ours, found.theirs):
        with connected(found.environment) as client:
            client.subscribe(f"/queue/{queue}")
    found.published_at = time.time()
    with connected(found.environment) as client:
        for _ in range(WAITING):
            client.send(f"/topic/{TOPIC}", b"x" * 1000)
    yield found
    for name in (found.name, f"{found.name}-other"):
        remove_queues(found.environment, name)


def test_a_browse_tells_how_old_the_first_message_is_and_takes_nothing(world: World) -> None:
    (endpoint,) = world.broker.endpoints()
    found = asking.oldest(endpoint, world.broker.login, [world.ours, world.theirs])
    passed = time.time() - world.published_at
    assert set(found) == {world.ours, world.theirs}
    assert all(0 <= age <= passed + 1 for age in found.values())
    later = eventually(lambda: _older(world, found[world.ours] + 0.5))
    assert later is not None
    assert later <= time.time() - world.published_at + 1
    answer = JolokiaAsk(world.api, world.login, world.watched, [world.broker])()
    (ours,) = (sample for sample in answer.samples if sample.name == world.ours)
    assert (ours.depth, ours.enqueued, ours.dequeued) == (WAITING, WAITING, 0)


def _older(world: World, than_s: float) -> float | None:
    (endpoint,) = world.broker.endpoints()
    age = asking.oldest(endpoint, world.broker.login, [world.ours])[world.ours]
    return age if age > than_s else None


def test_jolokia_and_the_statistics_plugin_say_the_same(world: World) -> None:
    by_jolokia = JolokiaAsk(world.api, world.login, world.watched, [world.broker])()
    by_statistics = StatisticsAsk(world.broker, (), world.watched)()
    assert len(by_jolokia.told) == len(by_statistics.told) == 1
    mine = (world.ours, world.theirs, f"Consumer.{world.name}.absent")
    one, other = (
        {sample.name: sample for sample in answer.samples if sample.name in mine}
        for answer in (by_jolokia, by_statistics)
    )
    assert set(one) == set(other) == set(mine)
    for name, sample in one.items():
        ages = (sample.oldest_s, other[name].oldest_s)
        assert sample._replace(broker="", oldest_s=None) == other[name]._replace(broker="", oldest_s=None)
        if name == world.ours:
            assert all(age is not None and age < time.time() - world.published_at + 1 for age in ages)
    assert one[world.ours].ours
    assert not one[world.theirs].ours
    assert one[world.theirs].consumers == 0


def test_a_broker_with_jolokia_is_not_asked_a_second_time(world: World) -> None:
    assert StatisticsAsk(world.broker, (world.api,), world.watched)().samples == []


def test_what_is_wrong_with_a_broker_is_said(world: World) -> None:
    (endpoint,) = world.broker.endpoints()
    with pytest.raises(Unreachable, match="User name"):
        asking.statistics(endpoint, Login("nobody", lambda: "x"), [world.ours])
    away = BrokerSettings("stomp://127.0.0.1:1", None)
    with pytest.raises(Unreachable):
        StatisticsAsk(away, (), world.watched)()


def test_a_real_broker_without_the_plugin_is_found_out_and_one_that_gets_it_is_asked(
    tmp_path: Path,
) -> None:
    """Restarted with the plugin and the same address: what was found out before holds for ten minutes, no longer."""
    now_s = 0.0
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    watched = Watched(frozenset({f"Consumer.t.{TOPIC}"}), frozenset({TOPIC}))
    with activemq(tmp_path, without="<statisticsBrokerPlugin/>") as port:
        broker = BrokerSettings(f"stomp://127.0.0.1:{port}", USER, password)
        ask = StatisticsAsk(broker, (), watched, clock=lambda: now_s)
        for _ in range(2):
            with pytest.raises(NoStatistics, match="no statistics within 4 s: it needs statisticsBrokerPlugin"):
                ask()
    with pytest.raises(Unreachable):
        asking.statistics(broker.endpoints()[0], broker.login, [TOPIC])
    with activemq(tmp_path, port=port):
        now_s = LEAVE_ALONE_S + 1
        (sample,) = ask().samples
        assert (sample.name, sample.depth, sample.dead) == (f"Consumer.t.{TOPIC}", None, 0), "no questions are left"
