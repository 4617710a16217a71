"""Every consumer group of a real Kafka that reads our topics, of either protocol, with or without members."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from kafka.net.manager import KafkaConnectionManager

from consumers.alerts.groups import GroupsAsk
from consumers.kafka import admin
from consumers.kafka.access import KafkaAccess
from consumers.kafka.feed import feed
from consumers.kafka.groups import forget_group, readers
from consumers.kafka.producer import Record
from pipeline.devstack.stack import Stack
from pipeline.stages.backlog import Sample
from schemas.topics import TRANSFERS
from tests.support.emptied import empty_topics
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

WRITTEN = 30
READ = 10
PAUSE_S = 1.5


@pytest.fixture
def access(stack: Stack) -> KafkaAccess:
    """Kafka with some records in the first partition of a topic of ours."""
    access = KafkaAccess((stack.env()["TRANSFERSCOPE_KAFKA_BOOTSTRAP"],))
    admin.ensure_topics(access, 2)
    empty_topics(access.address, [TRANSFERS])
    feed(access, [Record(TRANSFERS, 0, str(number), b"{}", ()) for number in range(WRITTEN)])
    return access


@pytest.fixture
def names(access: KafkaAccess) -> Iterator[list[str]]:
    """Names of groups of this test's own; the groups are forgotten."""
    names = [f"test-{uuid.uuid4().hex}" for _ in range(5)]
    yield names
    for name in names:
        forget_group(access, name)


def reader(access: KafkaAccess, group: str, topic: str = TRANSFERS, **more: str) -> Consumer:
    """A member of the group that has read and committed some records."""
    settings: dict[str, Any] = {"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    client = Consumer(settings | access.librdkafka() | {name.replace("_", "."): value for name, value in more.items()})
    client.subscribe([topic])
    (*_, last) = eventually(lambda: client.consume(READ, 5), 60)
    first, _ = client.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
    while (last.offset() or 0) + 1 < first + READ:
        (last,) = eventually(lambda: client.consume(1, 5), 60)
    client.commit(message=last, asynchronous=False)
    return client


def told(access: KafkaAccess, ours: Mapping[str, list[str]], names: list[str]) -> dict[str, Sample]:
    """What is sampled of the groups of this test, by their place among its names."""
    samples = GroupsAsk(access, ours)().samples
    return {str(names.index(each.name)): each for each in samples if each.name in names}


def test_every_group_is_told_with_lag_and_members(access: KafkaAccess, names: list[str]) -> None:
    old, new, alone, elsewhere, ours = names
    other_topic = f"test-{uuid.uuid4().hex}"
    administrator = AdminClient(access.librdkafka())
    administrator.create_topics([NewTopic(other_topic, 1)])[other_topic].result(30)
    feed(access, [Record(other_topic, 0, "", b"", ()) for _ in range(READ)])
    with ExitStack() as reading:
        reading.enter_context(closing(reader(access, old)))
        reading.enter_context(closing(reader(access, new, group_protocol="consumer")))
        reading.enter_context(closing(reader(access, elsewhere, other_topic)))
        with closing(Consumer({"group.id": alone, **access.librdkafka()})) as client:
            end = client.get_watermark_offsets(TopicPartition(TRANSFERS, 0), timeout=10)[1]
            client.commit(offsets=[TopicPartition(TRANSFERS, 0, end - 1)], asynchronous=False)
        busy = told(access, {ours: [TRANSFERS]}, names)
    assert {name: (each.depth, each.consumers, each.ours) for name, each in busy.items()} == {
        "0": (WRITTEN - READ, 1, False),
        "1": (WRITTEN - READ, None, False),
        "2": (1, 0, False),
        "4": (WRITTEN, 0, True),
    }
    assert {name for name, each in busy.items() if each.oldest_s is not None} == {"4"}, "of ours alone it is asked"
    assert all(each.enqueued == each.dequeued + each.depth for each in busy.values() if each.dequeued and each.depth)

    def nobody_reads() -> bool:
        return {each.consumers for each in told(access, {}, names).values()} == {0}

    eventually(nobody_reads)
    forget_group(access, alone)
    assert set(told(access, {}, names)) == {"0", "1"}, "a group that is forgotten is gone, and so is one that never was"
    administrator.delete_topics([other_topic])[other_topic].result(30)


def test_the_oldest_message_of_a_group_of_ours_is_the_one_that_it_reads_next(
    access: KafkaAccess, names: list[str]
) -> None:
    group, began = names[0], time.time()
    time.sleep(PAUSE_S)
    feed(access, [Record(TRANSFERS, 1, "", b"{}", ()), Record(TRANSFERS, 0, "", b"{}", ())])

    def reached(partition: int, offset: int) -> tuple[int | None, float | None]:
        """What waits behind this offset, and when the oldest of it came."""
        client.commit(offsets=[TopicPartition(TRANSFERS, partition, offset)], asynchronous=False)
        sample = told(access, {group: [TRANSFERS]}, names)["0"]
        return sample.depth, None if sample.oldest_s is None else time.time() - sample.oldest_s

    with closing(Consumer({"group.id": group, **access.librdkafka()})) as client:
        begin, end = client.get_watermark_offsets(TopicPartition(TRANSFERS, 0), timeout=10)
        (depth, came), (depth_later, came_later) = reached(0, begin), reached(0, end - 1)
        assert (depth, depth_later) == (WRITTEN + 2, 2)
        assert came is not None
        assert came_later is not None
        assert began - 5 < came < began + PAUSE_S / 2, "one of those that the fixture wrote"
        assert began + PAUSE_S - 0.5 < came_later < began + PAUSE_S + 5
        reached(0, end)
        last = client.get_watermark_offsets(TopicPartition(TRANSFERS, 1), timeout=10)[1]
        assert reached(1, last) == (0, None)


def test_more_groups_take_no_more_requests(
    access: KafkaAccess, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    send = KafkaConnectionManager.send

    def counted(manager: KafkaConnectionManager, request: Any, *more: Any, **named: Any) -> Any:
        sent.append(type(request).__name__)
        return send(manager, request, *more, **named)

    monkeypatch.setattr(KafkaConnectionManager, "send", counted)

    def asked() -> list[str]:
        sent.clear()
        found = readers(access, [TRANSFERS], {})
        assert set(found) & set(names) == set(there)
        return sorted(sent)

    there: list[str] = []
    requests = []
    for name in names:
        there.append(name)
        with closing(Consumer({"group.id": name, **access.librdkafka()})) as client:
            client.commit(offsets=[TopicPartition(TRANSFERS, 0, 1)], asynchronous=False)
        requests.append(asked())
    assert len(requests[0]) > 4
    assert requests[0] == requests[-1]
