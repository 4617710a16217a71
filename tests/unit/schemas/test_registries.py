"""The registries: dead-letter reasons and topics, each entry used and each use registered."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas import topics
from schemas.deadletters import REASONS, Malformed

ROOT = Path(__file__).parents[3]
SOURCES = [p.read_text() for top in ("schemas", "pipeline", "consumers") for p in (ROOT / top).rglob("*.py")]
RAISED = {reason for source in SOURCES for reason in re.findall(r"(?:Malformed|Dead)\([^()\"]*\"(\w+)\"", source)}


def test_every_reason_of_the_registry_is_given_and_every_reason_given_is_registered() -> None:
    given = RAISED | {reason for source in SOURCES for reason in re.findall(r"\"(store_refused|too_large)\"", source)}
    assert given == set(REASONS)


def test_a_reason_explains_itself_when_nobody_says_more() -> None:
    assert str(Malformed("empty")) == "empty: nothing but white space in the body"
    assert Malformed("no_id", "no id at all").detail == "no id at all"


@pytest.mark.parametrize(
    ("destination", "topic"),
    [
        ("/queue/Consumer.transferscope.transfer.fts_monitoring_start", "transfer.fts_monitoring_start"),
        ("/topic/transfer.fts_monitoring_complete", "transfer.fts_monitoring_complete"),
        ("/queue/Consumer.my-app_2.transfer.fts_monitoring_start", "transfer.fts_monitoring_start"),
        ("transfer.fts_monitoring_start", "transfer.fts_monitoring_start"),
        ("/queue/transfer.fts_monitoring_rejected", "transfer.fts_monitoring_rejected"),
        ("/queue/Consumer.only", "Consumer.only"),
        ("", ""),
    ],
)
def test_the_topic_behind_a_destination(destination: str, topic: str) -> None:
    assert topics.broker_topic(destination) == topic


def test_every_kind_has_a_kafka_topic_and_every_broker_topic_a_kind() -> None:
    names = {topic.name for topic in topics.TOPICS}
    assert set(topics.KINDS.values()) <= names
    assert set(topics.BROKER_TOPICS.values()) <= set(topics.KINDS)


def test_all_messages_of_a_transfer_share_one_kafka_topic() -> None:
    assert topics.KINDS[topics.FTS_START] == topics.KINDS[topics.FTS_COMPLETE] == topics.FTS_TRANSFER


def test_partitions_can_divide_the_shards() -> None:
    assert topics.SHARDS & (topics.SHARDS - 1) == 0
