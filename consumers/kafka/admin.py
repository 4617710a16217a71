"""Topics (kafka-python): makes what the registry names, tells what differs, deletes and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError, TopicAuthorizationFailedError

from consumers.kafka.access import KafkaAccess
from consumers.kafka.client import admin_client
from consumers.kafka.producer import MAX_RECORD_BYTES
from schemas.topics import TOPICS, Topic

_DAY_MS = 86_400_000
_BATCH_OVERHEAD = 64 * 1024
_BROKER_DEFAULT = -1


class Drift(NamedTuple):
    """Something of a topic that is not as it would be made; ``name`` is ``partitions`` or Kafka's name of a setting."""

    topic: str
    name: str
    wanted: str
    found: str


class TopicReport(NamedTuple):
    """What ``ensure_topics`` made and what it found otherwise and left alone."""

    created: list[str]
    drift: list[Drift]


def check(access: KafkaAccess) -> None:
    """Raises KafkaAway when Kafka does not answer."""
    with admin_client(access):
        pass


def version(access: KafkaAccess) -> str:
    """The version that a broker of the cluster has, as far as its protocol tells: "4.3". Raises KafkaAway."""
    with admin_client(access) as client:
        first = client.describe_cluster()["brokers"][0]["broker_id"]
        return ".".join(map(str, client.get_broker_version_data(first).broker_version))


def ensure_topics(
    access: KafkaAccess, partitions: int, topics: Iterable[Topic] = TOPICS, replication: int | None = None
) -> TopicReport:
    """Make the topics that are not there; ``replication`` None leaves that to the brokers. Raises KafkaAway."""
    wanted = {topic.name: _settings(topic) for topic in topics}
    with admin_client(access) as client:
        there = set(client.list_topics())
        missing = [name for name in wanted if name not in there]
        created = [name for name in missing if _create(client, name, partitions, replication, wanted[name])]
        left = {name: settings for name, settings in wanted.items() if name not in created}
        return TopicReport(created, _drift(_found(client, left), partitions, left))


class Kept(NamedTuple):
    """How long a topic keeps messages (``ms``, -1: for ever) and how many ``bytes`` a partition at most (-1: any)."""

    topic: str
    ms: int
    bytes: int


class Inspected(NamedTuple):
    """The topics that are not there, what of the others is not as it would be made, and how much each of these keeps,
    as far as our user may see it."""

    missing: list[str]
    drift: list[Drift]
    kept: list[Kept]


def inspect_topics(access: KafkaAccess, partitions: int, topics: Iterable[Topic] = TOPICS) -> Inspected:
    """How the topics are. Raises KafkaAway."""
    wanted = {topic.name: _settings(topic) for topic in topics}
    with admin_client(access) as client:
        there = set(client.list_topics())
        missing = [name for name in wanted if name not in there]
        left = {name: settings for name, settings in wanted.items() if name in there}
        found = _found(client, left)
    return Inspected(missing, _drift(found, partitions, left), _kept(found))


class LogDir(NamedTuple):
    """Where a broker keeps its partitions, in bytes: what they take, the disk, and what of it is free; the last two are
    -1 where Kafka does not say."""

    broker: int
    path: str
    size: int
    total: int
    usable: int


def allowed(access: KafkaAccess, topics: Iterable[str]) -> dict[str, frozenset[str]]:
    """What our user may do to each of these topics, by Kafka's names of operations: nothing to one that he may not even
    see. Those that are not there are left out. Raises KafkaAway."""
    with admin_client(access) as client:
        described = client.describe_topics(list(topics))
    return {
        each["name"]: frozenset(each["authorized_operations"] or ())
        for each in described
        if each["error_code"] in (0, TopicAuthorizationFailedError.errno)
    }


def log_dirs(access: KafkaAccess) -> list[LogDir]:
    """The log directories of all brokers; none that our user may not see. Raises KafkaAway."""
    with admin_client(access) as client:
        described = client.describe_log_dirs()
    return [
        LogDir(
            each["broker"],
            found["log_dir"],
            sum(part["partition_size"] for topic in found["topics"] for part in topic["partitions"]),
            found.get("total_bytes", -1),
            found.get("usable_bytes", -1),
        )
        for each in described
        for found in each["log_dirs"]
        if not found["error_code"]
    ]


def _settings(topic: Topic) -> dict[str, str]:
    return {
        "retention.ms": str(topic.retention_days * _DAY_MS),
        "max.message.bytes": str(MAX_RECORD_BYTES + _BATCH_OVERHEAD),
    }


def _create(client: Any, name: str, partitions: int, replication: int | None, settings: dict[str, str]) -> bool:
    """Whether it was this call that made it: another ``init`` may run at the same moment."""
    wish = {
        "num_partitions": partitions,
        "replication_factor": _BROKER_DEFAULT if replication is None else replication,
        "configs": settings,
    }
    try:
        client.create_topics({name: wish}, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        return False
    return True


_Found = Mapping[str, Mapping[str, str]]
"""By topic: partitions, and Kafka's settings as far as our user may see them."""


def _drift(found: _Found, partitions: int, wanted: Mapping[str, Mapping[str, str]]) -> list[Drift]:
    return [
        Drift(topic, name, value, found[topic][name])
        for topic, settings in wanted.items()
        for name, value in {"partitions": str(partitions), **settings}.items()
        if found[topic].get(name, value) != value
    ]


def _kept(found: _Found) -> list[Kept]:
    return [
        Kept(topic, int(each["retention.ms"]), int(each["retention.bytes"]))
        for topic, each in found.items()
        if "retention.ms" in each
    ]


def _found(client: Any, topics: Iterable[str]) -> _Found:
    return {topic: _described(client, topic) for topic in topics}


def _described(client: Any, name: str) -> dict[str, str]:
    resource = ConfigResource(ConfigResourceType.TOPIC, name)
    settings = client.describe_configs([resource], config_filter="all")["topic"][name]
    (topic,) = client.describe_topics([name])
    return {
        "partitions": str(len(topic["partitions"])),
        **{key: str(setting["value"]) for key, setting in settings.items()},
    }
