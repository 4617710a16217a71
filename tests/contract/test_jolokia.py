"""The stand-in of brokers that ``bench alerts`` asks answers in ActiveMQ's form."""

from __future__ import annotations

import dataclasses
import uuid
from pathlib import Path

import pytest

from consumers.bridge.depth import queue_depths
from consumers.bridge.publish import create_queues
from pipeline.cli.bench_alerts import shared_out
from pipeline.devstack.stack import Stack
from pipeline.simulator.jolokia import brokers
from schemas.topics import BROKER_TOPICS
from tests.support.emptied import remove_queues
from tests.support.publishing import broker_of

pytestmark = pytest.mark.stack


def test_the_stand_in_and_activemq_are_read_alike(stack: Stack) -> None:
    environment, consumer = stack.env(), f"test-{uuid.uuid4().hex[:12]}"
    password = Path(environment["TRANSFERSCOPE_BROKER_API_PASSWORD_FILE"]).read_text().strip()
    login = environment["TRANSFERSCOPE_BROKER_API_USER"], password
    create_queues(dataclasses.replace(broker_of(environment), consumer=consumer))
    real = [each for each in queue_depths(environment["TRANSFERSCOPE_BROKER_API"], *login) if consumer in each.name]
    remove_queues(environment, consumer)
    names = [each.name for each in real]
    with brokers([names]) as (standing_in,):
        first, second = queue_depths(standing_in.url, *login), queue_depths(standing_in.url, *login)
    assert [each.name for each in first] == names
    assert len(names) == len(BROKER_TOPICS)
    for real_queue, shown in zip(real, first, strict=True):
        assert [type(value) for value in real_queue] == [type(value) for value in shown]
    assert all(b.enqueued == a.enqueued + 25 for a, b in zip(first, second, strict=True))


def test_queues_are_shared_out_evenly_and_ours_are_among_them() -> None:
    shared = shared_out(500, 6)
    assert sorted({len(each) for each in shared}) == [83, 84]
    assert all(len(set(each)) == len(each) for each in shared)
    assert all(f"Consumer.c0.{topic}" in each for each in shared for topic in BROKER_TOPICS)
