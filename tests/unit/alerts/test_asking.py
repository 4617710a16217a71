"""A broker's statistics plugin that is not there, answers too late, in part or in the middle of a restart."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator

import pytest

from consumers.alerts import asking
from consumers.alerts.asking import NoStatistics, Statistics
from consumers.alerts.sample import LEAVE_ALONE_S, StatisticsAsk, Watched
from consumers.bridge.settings import BrokerSettings
from consumers.errors import Unreachable
from consumers.stomp.endpoint import Endpoint, Login
from tests.support.stomp_broker import Headers, StompBroker

QUEUE = "Consumer.t.a"
WITHIN_S = 0.5
END = json.dumps({"map": ""}).encode()


def reply(depth: int) -> bytes:
    """What the plugin says of the queue, as XStream and Jettison write it."""
    counts = {"size": depth, "consumerCount": 1, "expiredCount": 0, "enqueueCount": 9, "dequeueCount": 2}
    entries = [{"string": ["destinationName", f"queue://{QUEUE}"]}]
    return json.dumps({"map": {"entry": [*entries, *({"string": n, "long": v} for n, v in counts.items())]}}).encode()


class Plugin:
    """Stands in for the plugin of a broker: keeps where answers are to go, and answers with ``says``."""

    def __init__(self, broker: StompBroker) -> None:
        self._broker = broker
        self.asked: list[str] = []
        self.says: list[bytes] = []
        broker.on_send = self._on_send

    def _on_send(self, destination: str, headers: Headers) -> None:
        assert destination.startswith("/queue/ActiveMQ.Statistics.Destination.")
        assert int(headers["expires"]) <= (time.time() + WITHIN_S) * 1000
        self.asked.append(headers["reply-to"])
        self._broker.put(headers["reply-to"], *self.says)

    def say_late(self, *bodies: bytes) -> None:
        """To whoever asked first."""
        self._broker.put(self.asked[0], *bodies)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[StompBroker]:
    monkeypatch.setattr(asking, "ANSWER_WITHIN_S", WITHIN_S)
    with StompBroker() as broker:
        yield broker


@pytest.fixture
def plugin(broker: StompBroker) -> Plugin:
    return Plugin(broker)


def ask(broker: StompBroker) -> list[Statistics]:
    return asking.statistics(Endpoint("127.0.0.1", "127.0.0.1", broker.port), Login(), [QUEUE])


def test_a_broker_that_never_answers_has_no_plugin(broker: StompBroker, plugin: Plugin) -> None:
    with pytest.raises(NoStatistics, match="statisticsBrokerPlugin, or broker_api"):
        ask(broker)
    assert len(plugin.asked) == 1


def test_an_answer_that_comes_late_is_no_answer_to_the_next_question(broker: StompBroker, plugin: Plugin) -> None:
    with pytest.raises(NoStatistics):
        ask(broker)
    plugin.say_late(reply(7), END)
    with pytest.raises(NoStatistics):
        ask(broker)
    plugin.says = [reply(8), END]
    assert [each.depth for each in ask(broker)] == [8]


def test_half_an_answer_is_not_taken_for_the_whole(broker: StompBroker, plugin: Plugin) -> None:
    plugin.says = [reply(7)]
    with pytest.raises(Unreachable, match="not complete within") as failed:
        ask(broker)
    assert not isinstance(failed.value, NoStatistics)


def test_a_broker_that_ends_in_between_keeps_nobody_waiting(
    broker: StompBroker, plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ANSWER_WITHIN_S", 60.0)
    broker.on_send = lambda destination, headers: broker.hang_up()
    began = time.monotonic()
    with pytest.raises(Unreachable) as failed:
        ask(broker)
    assert not isinstance(failed.value, NoStatistics)
    assert time.monotonic() - began < 30


def test_one_without_the_plugin_is_left_alone_and_one_with_it_never(
    broker: StompBroker, plugin: Plugin, caplog: pytest.LogCaptureFixture
) -> None:
    now_s = 0.0
    watched = Watched(frozenset({QUEUE}), frozenset({"a"}))
    settings = BrokerSettings(f"stomp://127.0.0.1:{broker.port}", None)
    sampling = StatisticsAsk(settings, (), watched, clock=lambda: now_s)

    def look() -> int | None:
        """The depth of our queue; None: nobody knows."""
        try:
            (ours,) = (sample for sample in sampling().samples if sample.ours)
        except Unreachable:
            return None
        return ours.depth

    questions = 1 + 2  # of the queue's topic, and of the two kinds of dead letter queues
    assert look() is None
    assert look() is None
    assert len(plugin.asked) == questions, "it is left alone"
    plugin.says = [reply(7), END]
    now_s = LEAVE_ALONE_S - 1
    assert look() is None
    now_s = LEAVE_ALONE_S + 1
    assert look() == 7
    plugin.says = []
    assert look() is None
    plugin.says = [reply(8), END]
    assert look() == 8, "it has the plugin, and was only busy"
    broker.stop()
    assert look() is None
    broker.start()
    with caplog.at_level(logging.WARNING):
        assert look() == 8, "a restart is over with the next sample"
