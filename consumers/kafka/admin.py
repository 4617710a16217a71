"""Topics and lag (kafka-python): makes what the registry names, tells what differs, deletes and changes nothing."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupIdNotFoundError,
    KafkaError,
    NotCoordinatorError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
)

from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.kafka.producer import MAX_RECORD_BYTES
from consumers.kafka.tls import shake_hands
from schemas.topics import TOPICS, Topic

log = logging.getLogger(__name__)

_CONNECT_MS = 10_000
_LISTENER_POLL_S = 0.2
_REQUEST_MS = 30_000
_DAY_MS = 86_400_000
_COORDINATOR_S = 15.0
_COORDINATOR_POLL_S = 0.2
_NOT_YET = (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError)
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


class Offsets(NamedTuple):
    """Of a partition: what the group has committed (None: nothing yet), and where the partition begins and ends."""

    committed: int | None
    begin: int
    end: int

    @property
    def lag(self) -> int:
        """Messages that the group has still to read."""
        return self.end - (self.begin if self.committed is None else max(self.committed, self.begin))


def check(access: KafkaAccess) -> None:
    """Raises KafkaAway when Kafka does not answer."""
    with _client(access):
        pass


def version(access: KafkaAccess) -> str:
    """The version that a broker of the cluster has, as far as its protocol tells: "4.3". Raises KafkaAway."""
    with _client(access) as client:
        first = client.describe_cluster()["brokers"][0]["broker_id"]
        return ".".join(map(str, client.get_broker_version_data(first).broker_version))


def ensure_topics(
    access: KafkaAccess, partitions: int, topics: Iterable[Topic] = TOPICS, replication: int | None = None
) -> TopicReport:
    """Make the topics that are not there; ``replication`` None leaves that to the brokers. Raises KafkaAway."""
    wanted = {topic.name: _settings(topic) for topic in topics}
    with _client(access) as client:
        there = set(client.list_topics())
        missing = [name for name in wanted if name not in there]
        created = [name for name in missing if _create(client, name, partitions, replication, wanted[name])]
        left = {name: settings for name, settings in wanted.items() if name not in created}
        return TopicReport(created, _drift(client, partitions, left))


def inspect_topics(
    access: KafkaAccess, partitions: int, topics: Iterable[Topic] = TOPICS
) -> tuple[list[str], list[Drift]]:
    """The topics that are not there, and what of the others is not as it would be made. Raises KafkaAway."""
    wanted = {topic.name: _settings(topic) for topic in topics}
    with _client(access) as client:
        there = set(client.list_topics())
        missing = [name for name in wanted if name not in there]
        return missing, _drift(client, partitions, {n: settings for n, settings in wanted.items() if n in there})


class Kept(NamedTuple):
    """How long a topic keeps messages (``ms``, -1: for ever) and how many ``bytes`` a partition at most (-1: any)."""

    topic: str
    ms: int
    bytes: int


class LogDir(NamedTuple):
    """Where a broker keeps its partitions, in bytes: what they take, the disk, and what of it is free; the last two are
    -1 where Kafka does not say."""

    broker: int
    path: str
    size: int
    total: int
    usable: int


def kept(access: KafkaAccess, topics: Iterable[str]) -> list[Kept]:
    """How much each of these topics keeps, which must be there, as far as our user may see it. Raises KafkaAway."""
    with _client(access) as client:
        found = {topic: _found(client, topic) for topic in topics}
    return [
        Kept(topic, int(each["retention.ms"]), int(each["retention.bytes"]))
        for topic, each in found.items()
        if "retention.ms" in each
    ]


def allowed(access: KafkaAccess, topics: Iterable[str]) -> dict[str, frozenset[str]]:
    """What our user may do to each of these topics, by Kafka's names of operations: nothing to one that he may not even
    see. Those that are not there are left out. Raises KafkaAway."""
    with _client(access) as client:
        described = client.describe_topics(list(topics))
    return {
        each["name"]: frozenset(each["authorized_operations"] or ())
        for each in described
        if each["error_code"] in (0, TopicAuthorizationFailedError.errno)
    }


def log_dirs(access: KafkaAccess) -> list[LogDir]:
    """The log directories of all brokers; none that our user may not see. Raises KafkaAway."""
    with _client(access) as client:
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


def lag(access: KafkaAccess, group: str, topics: Iterable[str]) -> dict[tuple[str, int], Offsets]:
    """The offsets of a consumer group for every partition of the topics; topics that are not there are left out.

    Raises KafkaAway.
    """
    with _client(access) as client:
        described = {topic["name"]: topic["partitions"] for topic in client.describe_topics(list(topics))}
        parts = [TopicPartition(name, p["partition_index"]) for name, found in described.items() for p in found]
        if not parts:
            return {}
        committed = _committed(client, group, parts)
        begins = client.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.EARLIEST))
        ends = client.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.LATEST))
    return {
        (part.topic, part.partition): Offsets(_offset(committed.get(part)), begins[part].offset, ends[part].offset)
        for part in parts
    }


def forget_group(access: KafkaAccess, group: str) -> None:
    """Forget what a consumer group has committed; it must have no member. Raises KafkaAway."""
    with _client(access) as client, suppress(GroupIdNotFoundError):
        _coordinated(lambda: client.delete_groups([group]))


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


def _drift(client: Any, partitions: int, wanted: dict[str, dict[str, str]]) -> list[Drift]:
    drift = []
    for topic, settings in wanted.items():
        found = _found(client, topic)
        expected = {"partitions": str(partitions), **settings}
        # Settings that our user may not see are not there.
        drift += [Drift(topic, n, value, found[n]) for n, value in expected.items() if found.get(n, value) != value]
    return drift


def _found(client: Any, name: str) -> dict[str, str]:
    resource = ConfigResource(ConfigResourceType.TOPIC, name)
    settings = client.describe_configs([resource], config_filter="all")["topic"][name]
    (topic,) = client.describe_topics([name])
    return {
        "partitions": str(len(topic["partitions"])),
        **{key: str(setting["value"]) for key, setting in settings.items()},
    }


def _committed(client: Any, group: str, parts: list[TopicPartition]) -> dict[TopicPartition, Any]:
    return dict(_coordinated(lambda: client.list_group_offsets({group: parts})).get(group, {}))


def _coordinated(ask: Callable[[], Any]) -> Any:
    """A cluster that has never had a group first makes the topic for their offsets, and says so meanwhile."""
    until = time.monotonic() + _COORDINATOR_S
    while True:
        try:
            return ask()
        except _NOT_YET:
            if time.monotonic() > until:
                raise
            time.sleep(_COORDINATOR_POLL_S)


def _offset(committed: Any) -> int | None:
    return None if committed is None or committed.offset < 0 else int(committed.offset)


@contextmanager
def _client(access: KafkaAccess) -> Iterator[Any]:
    """A client that is closed again; what goes wrong with it becomes KafkaAway."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what it has to say comes as an exception too
    client = None
    try:
        _wait_for_a_listener(access)
        client = KafkaAdminClient(
            bootstrap_servers=list(access.servers),
            client_id="transferscope-admin",
            bootstrap_timeout_ms=_CONNECT_MS,
            request_timeout_ms=_REQUEST_MS,
            **access.kafka_python(),
        )
        yield client
    except (KafkaError, OSError) as error:
        raise KafkaAway(access.address, _why(error, access, is_in=client is not None)) from error
    finally:
        if client is not None:
            client.close()


def _why(error: Exception, access: KafkaAccess, *, is_in: bool) -> str:
    """The client tries a refused password again and again, and at last says only that it had no time."""
    said = str(error) or type(error).__name__
    if access.login is None or is_in or not isinstance(error, KafkaError):
        return said
    return (
        f"it let {access.login.user} not in by {access.login.mechanism} within {_CONNECT_MS // 1000} s, though TLS"
        f" holds: correct kafka_user, kafka_password_file or kafka_mechanism ({said})"
    )


def _wait_for_a_listener(access: KafkaAccess) -> None:
    """Return when one of the servers takes connections; raises OSError when none does in the time for connecting, and
    at once when TLS fails.

    The client would wait as long, but it leaves the sockets of its vain attempts open.
    """
    until = time.monotonic() + _CONNECT_MS / 1000
    while True:
        for server in access.servers:
            try:
                shake_hands(server, access, _CONNECT_MS / 1000)
            except ssl.SSLError:
                raise  # waiting mends no certificate
            except OSError as error:
                if time.monotonic() > until:
                    raise
                problem = error
            else:
                return
        log.debug("%s: %s", access.address, problem)
        time.sleep(_LISTENER_POLL_S)
