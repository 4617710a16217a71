"""All services are asked at the same time; one that hangs or is away keeps no other waiting and is not asked twice."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from consumers.alerts.app import SAMPLE_EVERY_S
from consumers.alerts.asking import Statistics
from consumers.alerts.notify import NOTIFY_EVERY_S, SEND_WITHIN_S
from consumers.alerts.sample import PATIENCE_S, Answer, Sampling, Watched
from consumers.errors import Unreachable
from consumers.kafka.access import KafkaAway
from pipeline.stages.alert_rules import SAMPLES
from pipeline.stages.backlog import Sample

GROUP = Sample("group", "k:9092", "g", 12)


def test_from_the_message_that_is_too_much_to_the_mail_it_takes_under_a_minute() -> None:
    assert SAMPLES * SAMPLE_EVERY_S + PATIENCE_S + NOTIFY_EVERY_S + SEND_WITHIN_S < 60


def test_what_cannot_be_asked_is_left_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[str] = []

    def away() -> Answer:
        asked.append("broker")
        raise Unreachable("Jolokia", "mq1:8161", "no route")

    def kafka() -> Answer:
        asked.append("Kafka")
        if len(asked) > 2:
            raise KafkaAway("k:9092", "gone")
        return Answer([GROUP])

    async def look_twice() -> list[Answer]:
        sampling = Sampling({"the broker": away, "Kafka": kafka})
        return [await sampling.look() for _ in range(2)]

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(look_twice()) == [Answer([GROUP]), Answer([])]
    assert sorted(asked) == ["Kafka", "Kafka", "broker", "broker"]
    assert [record.message.count("cannot be reached") for record in caplog.records] == [1, 1]


def test_one_that_hangs_keeps_nobody_waiting_and_is_not_asked_again_meanwhile(caplog: pytest.LogCaptureFixture) -> None:
    goes_on, asked = threading.Event(), list[str]()

    def hangs() -> Answer:
        asked.append("broker")
        goes_on.wait()
        return Answer([Sample("queue", "b", "q", 1)], frozenset("b"))

    async def look() -> list[Answer]:
        sampling = Sampling({"the broker": hangs, "Kafka": lambda: Answer([GROUP])}, patience_s=0.2)
        found = [await sampling.look(), await sampling.look()]
        goes_on.set()
        return [*found, await sampling.look()]

    with caplog.at_level(logging.INFO):
        first, second, third = asyncio.run(look())
    assert first == second == Answer([GROUP])
    assert {sample.name for sample in third.samples} == {"g", "q"}
    assert asked == ["broker"]
    assert [record.levelname for record in caplog.records if "the broker" in record.message] == ["WARNING", "INFO"]


def test_queues_of_ours_are_told_there_or_not_and_those_of_others_beside_them() -> None:
    watched = Watched(frozenset({"Consumer.t.a.b", "Consumer.t.c"}), frozenset({"a.b", "c"}))
    found = [
        Statistics("Consumer.t.a.b", 5, 1.5, 1, 2, 30, 25),
        Statistics("Consumer.x.c", 7, None, 0, 0, 7, 0),
        Statistics("Consumer.x.other", 9, None, 0, 0, 9, 0),
        Statistics("ActiveMQ.DLQ", 3, None, 0, 0, 3, 0),
        Statistics("DLQ.Consumer.t.c", 1, None, 0, 0, 1, 0),
    ]
    assert watched.samples("mq:8161", found) == Answer(
        [
            Sample("queue", "mq:8161", "Consumer.t.a.b", 5, 1.5, 1, 2, 4, 30, 25),
            Sample("queue", "mq:8161", "Consumer.t.c", None, dead=4),
            Sample("queue", "mq:8161", "Consumer.x.c", 7, None, 0, 0, 4, 7, 0, ours=False),
        ],
        frozenset({"mq:8161"}),
    )
