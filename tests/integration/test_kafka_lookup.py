"""Single messages read again from a real Kafka by their references, and what is said when they cannot be."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient

from consumers.kafka import admin
from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.kafka.feed import feed
from consumers.kafka.groups import lag
from consumers.kafka.lookup import lookup
from consumers.kafka.producer import Record
from pipeline.devstack.plan import KAFKA
from schemas.topics import FTS_TRANSFER
from tests.support.emptied import empty_topics
from tests.support.services import services

pytestmark = pytest.mark.stack

HEADERS = [("kind", "fts.complete"), ("destination", "transfer.fts_monitoring_complete"), ("received-at", "17")]


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaAccess]:
    with services(tmp_path_factory.mktemp("lookup"), os.environ, {KAFKA}) as stack:
        access = KafkaAccess((stack.env()["TRANSFERSCOPE_KAFKA_BOOTSTRAP"],))
        admin.ensure_topics(access, 2)
        empty_topics(access.address, [FTS_TRANSFER])
        feed(
            access,
            [Record(FTS_TRANSFER, number % 2, f"k{number}", b"body %d" % number, HEADERS) for number in range(6)],
        )
        yield access


def offsets(access: KafkaAccess) -> dict[int, int]:
    """Where the first of the messages lies in each partition: the topic may have had others before."""
    return {number: found.end - 3 for (_, number), found in lag(access, "nobody", [FTS_TRANSFER]).items()}


def test_messages_are_found_where_they_lie_and_nothing_else_is(access: KafkaAccess) -> None:
    first = offsets(access)
    asked = {f"{FTS_TRANSFER}-{number % 2}-{first[number % 2] + number // 2}": number for number in range(6)}
    gone = [
        f"{FTS_TRANSFER}-0-{first[0] + 3}",
        f"{FTS_TRANSFER}-77-0",
        "traffic.jsonl:3",
        "other-0-0",
        "",
        "-",
        "a-b-c",
    ]
    found = lookup(access, [*gone, *asked])
    assert {reference: message.body for reference, message in found.items()} == {
        reference: b"body %d" % number for reference, number in asked.items()
    }
    message = found[f"{FTS_TRANSFER}-0-{first[0]}"]
    assert (message.topic, message.received_ms) == ("transfer.fts_monitoring_complete", 17)


def test_a_look_leaves_no_group_behind(access: KafkaAccess) -> None:
    lookup(access, [f"{FTS_TRANSFER}-0-{offsets(access)[0]}"])
    client = AdminClient(access.librdkafka() | {"log_level": 0})
    groups = client.list_consumer_groups(request_timeout=10).result()
    assert groups.errors == []
    assert "transferscope-lookup" not in {group.group_id for group in groups.valid}


def test_kafka_that_does_not_answer_is_said() -> None:
    nowhere = KafkaAccess(("127.0.0.1:1",))
    assert lookup(nowhere, ["traffic.jsonl:3"]) == {}
    with pytest.raises(KafkaAway, match=r"Kafka at 127\.0\.0\.1:1 cannot be reached"):
        lookup(nowhere, [f"{FTS_TRANSFER}-0-0"])
